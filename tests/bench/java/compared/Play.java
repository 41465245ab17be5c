/* SPDX-License-Identifier: MIT */
/*
 * A cache with its backend, as a case plays with it: the moves that many cases make.
 */
package compared;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

final class Play {
    static final String KEY = "k";

    final Setup setup;
    final Loads loads;
    final Peer peer;

    Play(Library library, Setup setup) {
        this.setup = setup;
        loads = setup.loads;
        peer = library.make(setup);
    }

    Play(Library library) {
        this(library, new Setup());
    }

    /** A get on a thread of its own, which is back or stands when this returns. */
    Caller get(String key) {
        return Caller.settle(() -> peer.get(key));
    }

    Caller getAll(String... keys) {
        return Caller.settle(() -> peer.getAll(List.of(keys)));
    }

    /** A call without a value, likewise. */
    Caller run(Runnable call) {
        return Caller.settle(() -> {
            call.run();
            return null;
        });
    }

    /** That many calls, which come one after the other and stand. */
    static List<Caller> herd(int size, Callable<?> call) {
        List<Caller> callers = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            callers.add(Caller.settle(call));
        }
        return callers;
    }

    /** Stores a value by loading it. */
    void load(String key, String value) throws Exception {
        loads.answer(call -> call.give(value));
        peer.get(key);
        loads.hold();
    }

    /** Ends all loads that are held, and those to come. */
    void drain(String value) {
        loads.answer(call -> call.give(value));
        loads.giveAll(value);
    }

    /** What a get gives at the end, when loads bring "new". */
    String finallyGet(String key) {
        loads.answer(call -> call.give("new"));
        return Caller.start(() -> peer.get(key)).result();
    }
}
