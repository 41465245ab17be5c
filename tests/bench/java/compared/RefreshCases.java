/* SPDX-License-Identifier: MIT */
/*
 * Rule 11: reloads in the background. A value is stored, its refresh time passes, and a get starts the reload.
 */
package compared;

import static compared.Play.KEY;

import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Consumer;

final class RefreshCases {
    private static final int CALLERS = 8;
    private static final Duration REFRESH = Duration.ofMinutes(1);
    private static final Duration EXPIRE = Duration.ofMinutes(10);

    private RefreshCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("11a", CALLERS + " gets past the refresh time, the reload is asynchronous",
                library -> gets(library, true)),
            Case.of("11b", "the same with Guava's default reload, which calls load", EnumSet.of(Library.GUAVA),
                library -> gets(library, false)),
            Case.of("11c", "a reload that fails, then three gets more", RefreshCases::failing),
            Case.of("11d", "a reload that finds nothing (null)", RefreshCases::notFound),
            Case.of("11e", "invalidate during a reload, then the reload ends",
                library -> during(library, peer -> peer.invalidate(KEY))),
            Case.of("11f", "invalidateAll during a reload, then the reload ends",
                library -> during(library, Peer::invalidateAll)),
            Case.of("11g", "put during a reload, then the reload ends",
                library -> during(library, peer -> peer.put(KEY, "put"))),
            Case.of("11h", "invalidate during a reload, a get loads anew, then the reload ends",
                RefreshCases::successor),
            Case.of("11i", "the value expires during a reload, and a get comes", RefreshCases::expires),
            Case.of("11j", "two calls of refresh while a reload is in flight", RefreshCases::refreshTwice),
            Case.of("11k", "what the reload is given to revalidate", RefreshCases::oldValue));
    }

    /** A cache with the value "old", past its refresh time. */
    private static Play stale(Library library, boolean reloadLater) throws Exception {
        Setup setup = new Setup();
        setup.refreshAfterWrite = REFRESH;
        setup.expireAfterWrite = EXPIRE;
        setup.reloadLater = reloadLater;
        Play play = new Play(library, setup);
        play.load(KEY, "old");
        setup.advance(REFRESH.plusSeconds(1));
        return play;
    }

    private static int reloads(Play play) {
        return play.loads.count() - 1;
    }

    private static String gets(Library library, boolean reloadLater) throws Exception {
        Play play = stale(library, reloadLater);
        List<Caller> callers = Play.herd(CALLERS, () -> play.peer.get(KEY));
        long back = callers.stream().filter(Caller::isBack).count();
        int reloads = reloads(play);
        play.drain("new");
        play.peer.cleanUp();
        String results = Words.results(callers);
        return back + " of " + CALLERS + " are answered at once: " + results + "; " + Words.count(reloads, "reload")
            + "; then " + play.finallyGet(KEY);
    }

    private static String failing(Library library) throws Exception {
        Play play = stale(library, true);
        play.loads.answer(call -> call.fail(new IOException("down")));
        List<Caller> callers = Play.herd(4, () -> {
            String value = play.peer.get(KEY);
            play.peer.cleanUp();
            return value;
        });
        int reloads = reloads(play);
        return Words.results(callers) + "; " + Words.count(reloads, "reload") + ": "
            + (reloads > 1 ? "no back-off" : "a back-off");
    }

    private static String notFound(Library library) throws Exception {
        Play play = stale(library, true);
        play.loads.answer(call -> call.give(null));
        String first = Caller.start(() -> play.peer.get(KEY)).result();
        play.peer.cleanUp();
        String value = play.peer.getIfPresent(KEY);
        return "the get gets " + first + "; then the old value " + (value == null ? "is gone" : "stays");
    }

    private static String during(Library library, Consumer<Peer> change) throws Exception {
        Play play = stale(library, true);
        play.peer.get(KEY);
        Call reload = play.loads.await(2);
        Caller changing = play.run(() -> change.accept(play.peer));
        boolean blocks = !changing.isBack();
        String between = play.peer.getIfPresent(KEY);
        reload.give("reloaded");
        if (!changing.returns()) {
            return "hangs";
        }
        play.peer.cleanUp();
        String after = play.peer.getIfPresent(KEY);
        return (blocks ? "blocks until the reload ends" : "returns at once") + "; stored before the reload ends: "
            + (between == null ? "nothing" : between) + ", after: " + (after == null ? "nothing" : after);
    }

    private static String successor(Library library) throws Exception {
        Play play = stale(library, true);
        play.peer.get(KEY);
        Call reload = play.loads.await(2);
        play.peer.invalidate(KEY);
        play.loads.answer(call -> call.give("new"));
        Caller next = play.get(KEY);
        if (!next.isBack()) {
            reload.give("reloaded");
            return "the get waits for the reload and gets " + next.result();
        }
        String got = next.result();
        reload.give("reloaded");
        play.peer.cleanUp();
        return "the get gets " + got + "; then " + play.peer.getIfPresent(KEY) + " is stored";
    }

    private static String expires(Library library) throws Exception {
        Play play = stale(library, true);
        play.peer.get(KEY);
        Call reload = play.loads.await(2);
        play.setup.advance(EXPIRE);
        Caller next = play.get(KEY);
        boolean back = next.isBack();
        String early = back ? next.result() : "";
        int loads = reloads(play);
        reload.give("reloaded");
        play.drain("loaded");
        return (back ? "it gets " + early + " at once" : "it waits and gets " + next.result()) + "; "
            + Words.count(loads, "load") + " in flight";
    }

    private static String refreshTwice(Library library) throws Exception {
        Play play = stale(library, true);
        play.peer.get(KEY);
        play.loads.await(2);
        Caller first = play.run(() -> play.peer.refresh(KEY));
        Caller second = play.run(() -> play.peer.refresh(KEY));
        int reloads = reloads(play);
        play.drain("new");
        boolean back = first.returns() && second.returns();
        return back ? Words.count(reloads, "reload") + " in flight" : "hangs";
    }

    private static String oldValue(Library library) throws Exception {
        Play play = stale(library, true);
        play.peer.get(KEY);
        String given = play.loads.await(2).oldValue;
        play.drain("new");
        return given == null ? "nothing" : "the " + given + " value";
    }
}
