/* SPDX-License-Identifier: MIT */
/*
 * Rules 5, 6 and 12: loads that fail, that find nothing, and that fail where there was a value.
 */
package compared;

import static compared.Play.KEY;

import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

final class FailureCases {
    private static final int CALLERS = 5;

    private FailureCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("5a", CALLERS + " callers wait for a load that fails", FailureCases::shared),
            Case.of("5b", "three gets of a key whose load fails, one after the other",
                library -> again(library, call -> call.fail(new IOException("down")))),
            Case.of("5c", "a load fails, and the callback of who waited gets the key again at once",
                EnumSet.of(Library.CAFFEINE_ASYNC), FailureCases::retry),
            Case.of("6a", CALLERS + " callers wait for a load that finds nothing (null)", FailureCases::notFound),
            Case.of("6b", "three gets of a key that is not found, one after the other",
                library -> again(library, call -> call.give(null))),
            Case.of("12a", "a get of an expired value whose load fails", FailureCases::expired));
    }

    private static Throwable root(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    private static String shared(Library library) {
        Play play = new Play(library);
        List<Caller> callers = Play.herd(CALLERS, () -> play.peer.get(KEY));
        play.loads.answer(call -> call.fail(new IOException("down again")));
        play.loads.call(1).fail(new IOException("down"));
        Set<Throwable> causes = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Caller caller : callers) {
            if (caller.failure() == null) {
                return caller.result();
            }
            causes.add(root(caller.failure()));
        }
        int loads = play.loads.count();
        return Words.results(callers) + "; " + Words.count(loads, "load")
            + (loads > 1 ? " one after the other; " : "; ") + (causes.size() == 1 ? "one failure for all" : causes.size() + " different failures");
    }

    private static String retry(Library library) {
        Play play = new Play(library);
        AtomicReference<CompletableFuture<String>> again = new AtomicReference<>();
        play.peer.later(KEY).whenComplete((value, failure) -> again.set(play.peer.later(KEY)));
        play.loads.call(1).fail(new IOException("down"));
        boolean dead = again.get().isCompletedExceptionally();
        int loads = play.loads.count();
        play.drain("v");
        return dead ? "it is given the failed load again, " + Words.count(loads, "load")
            : "it starts a new load, " + Words.count(loads, "load");
    }

    private static String again(Library library, Loads.Answer answer) {
        Play play = new Play(library);
        play.loads.answer(answer);
        for (int i = 0; i < 3; i++) {
            Caller.start(() -> play.peer.get(KEY)).result();
            play.peer.cleanUp();
        }
        int loads = play.loads.count();
        return Words.count(loads, "load") + ": " + (loads == 3 ? "not remembered" : "remembered");
    }

    private static String notFound(Library library) {
        Play play = new Play(library);
        List<Caller> callers = Play.herd(CALLERS, () -> play.peer.get(KEY));
        play.drain(null);
        String results = Words.results(callers);
        return results + "; " + Words.count(play.loads.count(), "load");
    }

    private static String expired(Library library) throws Exception {
        Setup setup = new Setup();
        setup.expireAfterWrite = Duration.ofMinutes(1);
        Play play = new Play(library, setup);
        play.load(KEY, "old");
        setup.advance(Duration.ofMinutes(2));
        play.loads.answer(call -> call.fail(new IOException("down")));
        String result = Caller.start(() -> play.peer.get(KEY)).result();
        play.peer.cleanUp();
        return result + "; the old value is " + (play.peer.getIfPresent(KEY) == null ? "gone" : "still there");
    }
}
