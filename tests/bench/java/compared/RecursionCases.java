/* SPDX-License-Identifier: MIT */
/*
 * Rule 17: loaders that get from the cache they load for.
 */
package compared;

import static compared.Play.KEY;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;

final class RecursionCases {
    private static final int NESTED = 200;

    private RecursionCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("17a", "a load gets its own key", RecursionCases::own),
            Case.of("17b", "a load of a gets b, whose load gets a, all from one get", RecursionCases::circle),
            Case.of("17c", "two threads: the load of a gets b while the load of b gets a",
                library -> twoThreads(library, Map.of("a", "b", "b", "a"))),
            Case.of("17d", "a load gives back the future of its own key", EnumSet.of(Library.CAFFEINE_ASYNC),
                RecursionCases::composed),
            Case.of("17e", NESTED + " loads, each of which gets another key, in no circle", RecursionCases::nested),
            Case.of("17f", "two threads: the load of Aa gets BC, that of Ab gets BB; BC hashes as Ab, BB as Aa",
                library -> twoThreads(library, Map.of("Aa", "BC", "Ab", "BB"))));
    }

    /** A cache whose loader is made with the cache in hand. */
    private static Play recursive(Library library, Function<Peer, UnaryOperator<String>> loader) {
        Setup setup = new Setup();
        Peer[] peer = new Peer[1];
        setup.loader = key -> loader.apply(peer[0]).apply(key);
        Play play = new Play(library, setup);
        peer[0] = play.peer;
        return play;
    }

    private static String get(Peer peer, String key) {
        try {
            return peer.get(key);
        } catch (RuntimeException failure) {
            throw failure;
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static String innermost(Caller caller) {
        if (!caller.returns()) {
            return "hangs";
        }
        Throwable thrown = caller.failure();
        if (thrown == null) {
            return caller.result();
        }
        while (thrown.getCause() != null) {
            thrown = thrown.getCause();
        }
        return thrown.getClass().getSimpleName();
    }

    private static String own(Library library) {
        Play play = recursive(library, peer -> key -> get(peer, key));
        return innermost(Caller.start(() -> play.peer.get(KEY)));
    }

    private static String circle(Library library) {
        Play play = recursive(library, peer -> key -> get(peer, key.equals("a") ? "b" : "a"));
        return innermost(Caller.start(() -> play.peer.get("a")));
    }

    /** Two loads, each of which gets another key once both have begun; the other keys are loaded without more. */
    private static String twoThreads(Library library, Map<String, String> others) {
        CountDownLatch both = new CountDownLatch(2);
        Play play = recursive(library, peer -> key -> {
            if (!others.containsKey(key)) {
                return "v";
            }
            both.countDown();
            try {
                both.await(Limits.COMES_S, TimeUnit.SECONDS);
            } catch (InterruptedException stopped) {
                throw new IllegalStateException(stopped);
            }
            return get(peer, others.get(key));
        });
        List<Caller> callers =
            others.keySet().stream().sorted().map(key -> Caller.start(() -> play.peer.get(key))).toList();
        return Words.tally(callers.stream().map(RecursionCases::innermost).toList());
    }

    private static String composed(Library library) {
        Setup setup = new Setup();
        Peer[] peer = new Peer[1];
        setup.loaderLater = key -> peer[0].later(key);
        Play play = new Play(library, setup);
        peer[0] = play.peer;
        return innermost(Caller.start(() -> play.peer.get(KEY)));
    }

    /** Another key, with a hash of its own. */
    private static String inner(String key) {
        return Integer.toHexString(key.hashCode() * 0x9E3779B9);
    }

    private static String nested(Library library) {
        Play play = recursive(library, peer -> key -> key.startsWith("outer") ? get(peer, inner(key)) : "v");
        int[] failed = new int[1];
        Caller caller = Caller.start(() -> {
            for (int i = 0; i < NESTED; i++) {
                try {
                    play.peer.get("outer" + i);
                } catch (Exception failure) {
                    failed[0]++;
                }
            }
            return null;
        });
        if (!caller.returns()) {
            return "hangs";
        }
        return failed[0] == 0 ? "all go well" : "some fail";
    }
}
