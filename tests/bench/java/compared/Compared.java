/* SPDX-License-Identifier: MIT */
/*
 * Plays the hard cases of docs/contract.md on Guava's and Caffeine's caches, and prints what each does. Every outcome
 * is made of what was seen in this run; what could not be played is printed apart.
 */
package compared;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;

final class Compared {
    private static final Logger LOGS = Logger.getLogger("");

    private final boolean tsv;
    private boolean broke;

    private Compared(boolean tsv) {
        this.tsv = tsv;
    }

    public static void main(String[] arguments) {
        boolean tsv = false;
        List<String> only = new ArrayList<>();
        for (String argument : arguments) {
            if (argument.equals("--tsv")) {
                tsv = true;
            } else {
                only.add(argument);
            }
        }
        // The libraries log every failing reload and listener; here they fail on purpose.
        LOGS.setLevel(Level.OFF);
        Compared run = new Compared(tsv);
        System.exit(run.all(only) ? 0 : 1);
    }

    private static List<Case> cases() {
        List<Case> cases = new ArrayList<>(FlightCases.all());
        cases.addAll(InvalidationCases.all());
        cases.addAll(PutCases.all());
        cases.addAll(FailureCases.all());
        cases.addAll(WaitCases.all());
        cases.addAll(RefreshCases.all());
        cases.addAll(ZeroCases.all());
        cases.addAll(BulkCases.all());
        cases.addAll(RecursionCases.all());
        cases.addAll(ListenerCases.all());
        cases.addAll(CounterCases.all());
        return cases;
    }

    private static boolean wanted(List<String> only, String id) {
        return only.isEmpty() || only.contains(id) || only.contains(id.replaceAll("[a-z]+$", ""));
    }

    private boolean all(List<String> only) {
        int lines = 0;
        for (Case each : cases()) {
            if (wanted(only, each.id())) {
                title(each.id(), each.title());
                for (Library library : each.libraries()) {
                    line(each.id(), each.title(), library, "seen", play(each, library));
                    lines++;
                }
            }
        }
        boolean first = true;
        for (Absent each : Absent.all()) {
            if (wanted(only, each.id())) {
                if (first && !tsv) {
                    System.out.println("\nNot played, there is no such thing (documentation, not seen in this run)");
                }
                first = false;
                title(each.id(), each.thing());
                for (Library library : each.libraries()) {
                    line(each.id(), each.thing(), library, "documented", "no such thing: " + each.reason());
                    lines++;
                }
            }
        }
        if (lines == 0) {
            System.err.println("compared: there is no such case: " + String.join(" ", only));
        }
        return lines > 0 && !broke;
    }

    private String play(Case each, Library library) {
        FutureTask<String> task = new FutureTask<>(() -> each.body().play(library));
        Thread thread = new Thread(task, "case-" + each.id());
        thread.setDaemon(true);
        thread.start();
        try {
            return task.get(Limits.CASE_S, TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            return "hangs";
        } catch (ExecutionException | InterruptedException failure) {
            broke = true;
            return "this case broke: " + failure;
        }
    }

    private void title(String id, String title) {
        if (!tsv) {
            System.out.printf("%n%s: %s%n", id, title);
        }
    }

    private void line(String id, String title, Library library, String kind, String outcome) {
        if (tsv) {
            System.out.println(String.join("\t", id, library.label, kind, outcome, title));
        } else {
            System.out.printf("%-4s %-15s %s%n", id, library.label, outcome);
        }
        System.out.flush();
    }
}
