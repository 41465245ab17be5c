/* SPDX-License-Identifier: MIT */
/*
 * Rules 1, 2 and 21: one load for all who ask, no instant at which it can be missed, first come first served.
 */
package compared;

import static compared.Play.KEY;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

final class FlightCases {
    private static final int CALLERS = 8;
    private static final int KEYS = 2000;
    private static final int THREADS = 3;
    private static final int ROUNDS = 10;

    private FlightCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("1a", CALLERS + " gets of one cold key", FlightCases::herd),
            Case.of("1b", "two bulk gets that overlap in key b, the loader loads one key at a call",
                library -> overlap(library, false)),
            Case.of("1c", "the same, the loader loads in bulk", library -> overlap(library, true)),
            Case.of("1d", "a bulk get of keys a and b while a get of a is in flight", FlightCases::bulkAfterSingle),
            Case.of("1e", "a get of key a while a bulk load of a and b is in flight", FlightCases::singleAfterBulk),
            Case.of("1f", "a refresh of a key whose load is in flight", FlightCases::refreshDuringLoad),
            Case.of("2a", "whoever is back from waiting for a load looks the value up", FlightCases::seenByWaiters),
            Case.of("2b", THREADS + " threads get " + KEYS + " keys, all in one order", FlightCases::storm),
            Case.of("21a", CALLERS + " callers wait for one load, " + ROUNDS + " times", FlightCases::order));
    }

    private static String herd(Library library) {
        Play play = new Play(library);
        List<Caller> callers = Play.herd(CALLERS, () -> play.peer.get(KEY));
        play.drain("v");
        return Words.results(callers) + "; " + Words.count(play.loads.count(), "load");
    }

    private static String overlap(Library library, boolean bulk) {
        Setup setup = new Setup();
        setup.bulk = bulk;
        Play play = new Play(library, setup);
        Caller first = play.getAll("a", "b");
        Caller second = play.getAll("b", "c");
        // One key at a time: the first call is at a, the second at b. Let the first come to b.
        play.loads.call(1).give("v");
        first.settle();
        play.drain("v");
        boolean back = first.returns() && second.returns();
        return back ? "b is loaded " + Words.count(play.loads.count("b"), "time") : "hangs";
    }

    private static String bulkAfterSingle(Library library) {
        Setup setup = new Setup();
        setup.bulk = true;
        Play play = new Play(library, setup);
        Caller single = play.get("a");
        Caller bulk = play.getAll("a", "b");
        play.drain("v");
        boolean back = single.returns() && bulk.returns();
        return back ? "a is loaded " + Words.count(play.loads.count("a"), "time") : "hangs";
    }

    private static String singleAfterBulk(Library library) {
        Setup setup = new Setup();
        setup.bulk = true;
        Play play = new Play(library, setup);
        Caller bulk = play.getAll("a", "b");
        Caller single = play.get("a");
        play.drain("v");
        boolean back = single.returns() && bulk.returns();
        return back ? "a is loaded " + Words.count(play.loads.count("a"), "time") : "hangs";
    }

    private static String refreshDuringLoad(Library library) {
        Play play = new Play(library);
        Caller get = play.get(KEY);
        Caller refresh = play.run(() -> play.peer.refresh(KEY));
        boolean blocks = !refresh.isBack();
        play.drain("v");
        boolean back = get.returns() && refresh.returns();
        play.peer.cleanUp();
        return back
            ? (blocks ? "blocks until a load ends; " : "returns at once; ") + Words.count(play.loads.count(), "load")
            : "hangs";
    }

    /** The weigher runs just before a value is stored: there the cache is held up. */
    private static String seenByWaiters(Library library) {
        Setup setup = new Setup();
        Call weighing = new Call(List.of(), null);
        setup.weighed = () -> hold(weighing);
        Play play = new Play(library, setup);
        Caller leader = play.get(KEY);
        Caller waiter = play.get(KEY);
        Call load = play.loads.await(1);
        Caller ending = play.run(() -> load.give("v"));
        waiter.settle();
        boolean woken = waiter.isBack();
        Caller look = Caller.settle(() -> woken ? play.peer.getIfPresent(KEY) : "not woken");
        boolean missing = look.isBack() && look.result().equals("null");
        weighing.give(null);
        boolean back = leader.returns() && waiter.returns() && look.returns() && ending.returns();
        if (!back) {
            return "hangs";
        }
        return missing ? "may find nothing: waiters are woken before the value is stored" : "finds it";
    }

    private static void hold(Call gate) {
        try {
            gate.hold();
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static String storm(Library library) throws Exception {
        Map<String, Integer> counts = new ConcurrentHashMap<>();
        Setup setup = new Setup();
        setup.maximumSize = KEYS * 2L;
        setup.loader = key -> {
            counts.merge(key, 1, Integer::sum);
            return "v";
        };
        Play play = new Play(library, setup);
        List<Caller> callers = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            callers.add(Caller.start(() -> {
                for (int key = 0; key < KEYS; key++) {
                    play.peer.get(String.valueOf(key));
                }
                return null;
            }));
        }
        for (Caller caller : callers) {
            Limits.await("the end of the storm", caller::isBack);
        }
        long twice = counts.values().stream().filter(count -> count > 1).count();
        return twice + " of " + counts.size() + " keys were loaded more than once";
    }

    private static String order(Library library) throws Exception {
        int inOrder = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Play play = new Play(library);
            List<Integer> served = Collections.synchronizedList(new ArrayList<>());
            List<Caller> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                int number = i;
                if (library.isAsync()) {
                    play.peer.later(KEY).thenRun(() -> served.add(number));
                } else {
                    callers.add(Caller.settle(() -> {
                        play.peer.get(KEY);
                        served.add(number);
                        return null;
                    }));
                }
            }
            play.drain("v");
            for (Caller caller : callers) {
                Limits.await("all are served", caller::isBack);
            }
            List<Integer> sorted = new ArrayList<>(served);
            Collections.sort(sorted);
            inOrder += served.equals(sorted) ? 1 : 0;
        }
        return inOrder == ROUNDS ? "first come, first served" : "not first come, first served";
    }
}
