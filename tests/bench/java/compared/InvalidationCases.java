/* SPDX-License-Identifier: MIT */
/*
 * Rules 3 and 16: an invalidation that meets a load in flight.
 */
package compared;

import static compared.Play.KEY;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

final class InvalidationCases {
    private static final int FEW = 10_000;
    private static final int MANY = 500_000;

    private InvalidationCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("3a", "invalidate of a key that is being loaded",
                library -> during(library, new Setup(), peer -> peer.invalidate(KEY))),
            Case.of("3b", "invalidateAll of a list of keys, one of which is being loaded",
                library -> during(library, new Setup(), peer -> peer.invalidateKeys(List.of("x", KEY)))),
            Case.of("3c", "invalidateAll while a key is being loaded, nothing else stored",
                library -> during(library, new Setup(), Peer::invalidateAll)),
            Case.of("3d", "the same, in a cache without a bound", InvalidationCases::unbounded),
            Case.of("3e", "invalidate of a key that is being loaded in bulk", InvalidationCases::bulk),
            Case.of("3f", "invalidate during a load, a second load ends, then the first",
                InvalidationCases::firstEndsLast),
            Case.of("16a", "invalidateAll with 100 values stored and 4 loads in flight", InvalidationCases::clear),
            Case.of("16b", "invalidateAll with " + FEW + " and with " + MANY + " values stored",
                InvalidationCases::clearTime));
    }

    private static String during(Library library, Setup setup, Consumer<Peer> invalidation) {
        Play play = new Play(library, setup);
        List<Caller> parked = Play.herd(2, () -> play.peer.get(KEY));
        Caller change = play.run(() -> invalidation.accept(play.peer));
        boolean blocks = !change.isBack();
        Caller later = play.get(KEY);
        boolean joins = play.loads.count() == 1;
        play.loads.answer(call -> call.give("new"));
        play.loads.call(1).give("old");
        parked.forEach(Caller::settle);
        play.drain("new");
        if (!change.returns() || !later.returns()) {
            return "hangs";
        }
        String words = "blocks until the load ends; who loads gets " + parked.get(0).result();
        if (!blocks) {
            words = "returns at once; who loads and who waits get " + Words.results(parked) + "; a later get "
                + (joins ? "joins the old load" : "starts its own") + " and gets " + later.result();
        }
        return words + "; then " + play.finallyGet(KEY) + " is given";
    }

    private static String unbounded(Library library) {
        Setup setup = new Setup();
        setup.bounded = false;
        return during(library, setup, Peer::invalidateAll);
    }

    private static String bulk(Library library) {
        Setup setup = new Setup();
        setup.bulk = true;
        Play play = new Play(library, setup);
        Caller bulk = play.getAll("a", "b");
        Caller change = play.run(() -> play.peer.invalidate("a"));
        boolean blocks = !change.isBack();
        play.loads.call(1).give("old");
        boolean back = bulk.returns() && change.returns();
        play.peer.cleanUp();
        if (!back) {
            return "hangs";
        }
        return (blocks ? "blocks until the load ends; " : "returns at once; ") + "then " + play.finallyGet("a")
            + " is given";
    }

    private static String firstEndsLast(Library library) {
        Play play = new Play(library);
        Caller first = play.get(KEY);
        Caller change = play.run(() -> play.peer.invalidate(KEY));
        Caller second = play.get(KEY);
        if (play.loads.count() == 1) {
            play.drain("old");
            boolean back = first.returns() && change.returns() && second.returns();
            return back ? "there is no second load before the first ends" : "hangs";
        }
        play.loads.call(2).give("new");
        String got = second.result();
        play.loads.call(1).give("old");
        boolean back = first.returns() && change.returns();
        play.peer.cleanUp();
        return back ? "the second get gets " + got + "; then " + play.finallyGet(KEY) + " is given" : "hangs";
    }

    private static String clear(Library library) throws Exception {
        Play play = new Play(library);
        for (int i = 0; i < 100; i++) {
            play.peer.put("stored-" + i, "old");
        }
        List<Caller> loading = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String key = "loading-" + i;
            loading.add(play.get(key));
        }
        Caller change = play.run(play.peer::invalidateAll);
        boolean blocks = !change.isBack();
        play.drain("old");
        boolean back = change.returns() && loading.stream().allMatch(Caller::returns);
        if (!back) {
            return "hangs";
        }
        play.peer.cleanUp();
        int stored = 0;
        for (int i = 0; i < 100; i++) {
            stored += play.peer.getIfPresent("stored-" + i) == null ? 0 : 1;
        }
        int loaded = 0;
        for (int i = 0; i < 4; i++) {
            loaded += play.peer.getIfPresent("loading-" + i) == null ? 0 : 1;
        }
        String ofLoaded = loaded == 0 ? "none" : loaded == 4 ? "all" : "some";
        return (blocks ? "blocks until loads end; " : "returns at once; ") + "then " + stored
            + " of 100 old values are there, and " + ofLoaded + " of those that were being loaded";
    }

    private static String clearTime(Library library) {
        clearNanos(library, FEW);
        long few = Math.max(1, clearNanos(library, FEW));
        long many = clearNanos(library, MANY);
        return many / few >= 5 ? "its time grows with what is stored" : "its time hardly grows with what is stored";
    }

    private static long clearNanos(Library library, int entries) {
        Setup setup = new Setup();
        setup.maximumSize = MANY * 2L;
        Peer peer = library.make(setup);
        for (int i = 0; i < entries; i++) {
            peer.put(String.valueOf(i), "v");
        }
        peer.cleanUp();
        long start = System.nanoTime();
        peer.invalidateAll();
        return System.nanoTime() - start;
    }
}
