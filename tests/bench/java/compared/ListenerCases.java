/* SPDX-License-Identifier: MIT */
/*
 * Rules 19 and 22: where callbacks run, and what a removal listener is told.
 */
package compared;

import static compared.Play.KEY;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

final class ListenerCases {
    private static final int OTHERS = 64;

    private ListenerCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("19a", "a removal listener runs; another thread puts the same key meanwhile",
                ListenerCases::listenerLock),
            Case.of("19b", "a load is in flight; another thread puts " + OTHERS + " other keys",
                ListenerCases::loaderLock),
            Case.of("19c", "a removal listener throws", ListenerCases::listenerThrows),
            Case.of("19d", "a CacheWriter is told of a value that leaves; another thread puts the same key meanwhile",
                EnumSet.of(Library.CAFFEINE, Library.CAFFEINE_ASYNC), ListenerCases::writerLock),
            Case.of("22a", "put, put again, invalidate; put and expire; put two where there is room for one",
                ListenerCases::causes),
            Case.of("22b", "a put overtakes a load: what the listener is told when the load has ended",
                ListenerCases::overtaken),
            Case.of("22c", "a value is reloaded", ListenerCases::reloaded));
    }

    private static String listenerLock(Library library) {
        Setup setup = new Setup();
        AtomicReference<Thread> thread = new AtomicReference<>();
        AtomicReference<Boolean> free = new AtomicReference<>();
        Peer[] peer = new Peer[1];
        setup.listener = (value, cause) -> {
            if (thread.compareAndSet(null, Thread.currentThread())) {
                free.set(Caller.start(() -> {
                    peer[0].put(KEY, "meanwhile");
                    return null;
                }).returns());
            }
        };
        Play play = new Play(library, setup);
        peer[0] = play.peer;
        play.peer.put(KEY, "v");
        Caller changing = Caller.start(() -> {
            play.peer.invalidate(KEY);
            return null;
        });
        if (!Limits.within(Limits.HANG_S * 2, () -> free.get() != null)) {
            return "the listener is not told";
        }
        boolean same = thread.get() == changing.thread;
        return "it runs on " + (same ? "the thread that changes the cache" : "another thread")
            + "; the put " + (free.get() ? "goes through: no lock is held" : "blocks: a lock is held");
    }

    private static String loaderLock(Library library) {
        Play play = new Play(library);
        Caller loading = play.get(KEY);
        Caller puts = play.run(() -> {
            for (int i = 0; i < OTHERS; i++) {
                play.peer.put("other-" + i, "v");
            }
        });
        boolean blocked = !puts.isBack();
        play.drain("v");
        boolean back = puts.returns() && loading.returns();
        return !back ? "hangs" : blocked ? "a put of another key blocks until the load ends" : "none of them blocks";
    }

    private static String listenerThrows(Library library) {
        Setup setup = new Setup();
        setup.listener = (value, cause) -> {
            throw new IllegalStateException("listener");
        };
        Play play = new Play(library, setup);
        play.peer.put(KEY, "v");
        Caller changing = play.run(() -> play.peer.invalidate(KEY));
        play.peer.cleanUp();
        return changing.failure() == null ? "the call does not notice" : "the call gets " + changing.result();
    }

    private static String writerLock(Library library) {
        Setup setup = new Setup();
        AtomicReference<Boolean> free = new AtomicReference<>();
        Peer[] peer = new Peer[1];
        setup.deleted = () -> free.compareAndSet(null, Caller.start(() -> {
            peer[0].put(KEY, "meanwhile");
            return null;
        }).returns());
        try {
            peer[0] = library.make(setup);
        } catch (IllegalStateException refused) {
            return "there can be none: IllegalStateException";
        }
        peer[0].put(KEY, "v");
        peer[0].invalidate(KEY);
        return free.get() == null ? "it is not told" : free.get() ? "the put goes through: no lock is held"
            : "the put blocks: a lock is held";
    }

    private static List<String> record(Setup setup) {
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        setup.listener = (value, cause) -> told.add(value + " " + cause);
        return told;
    }

    private static String words(List<String> told) {
        List<String> sorted = new ArrayList<>(told);
        Collections.sort(sorted);
        return sorted.isEmpty() ? "told nothing" : Words.tally(sorted);
    }

    private static String causes(Library library) {
        Setup setup = new Setup();
        setup.maximumSize = 1;
        setup.expireAfterWrite = Duration.ofMinutes(1);
        List<String> told = record(setup);
        Play play = new Play(library, setup);
        play.peer.put(KEY, "v1");
        play.peer.put(KEY, "v2");
        play.peer.invalidate(KEY);
        play.peer.put(KEY, "v3");
        play.peer.cleanUp();
        setup.advance(Duration.ofMinutes(2));
        play.peer.cleanUp();
        play.peer.put("x", "v4");
        play.peer.cleanUp();
        play.peer.put("y", "v4");
        play.peer.cleanUp();
        return words(told);
    }

    private static String overtaken(Library library) {
        Setup setup = new Setup();
        List<String> told = record(setup);
        Play play = new Play(library, setup);
        Caller loading = play.get(KEY);
        Caller put = play.run(() -> play.peer.put(KEY, "put"));
        play.loads.call(1).give("loaded");
        boolean back = loading.returns() && put.returns();
        play.peer.cleanUp();
        return back ? words(told) + "; stored: " + play.peer.getIfPresent(KEY) : "hangs";
    }

    private static String reloaded(Library library) throws Exception {
        Setup setup = new Setup();
        setup.refreshAfterWrite = Duration.ofMinutes(1);
        List<String> told = record(setup);
        Play play = new Play(library, setup);
        play.load(KEY, "old");
        setup.advance(Duration.ofMinutes(2));
        play.peer.get(KEY);
        play.loads.await(2).give("new");
        play.peer.cleanUp();
        return words(told);
    }
}
