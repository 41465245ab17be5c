/* SPDX-License-Identifier: MIT */
/*
 * Rules 7 to 10: waiters that leave, loads that hang, loads nobody waits for, and how many of either there may be.
 */
package compared;

import static compared.Play.KEY;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

final class WaitCases {
    private static final int MANY = 50;
    private static final Set<Library> ASYNC = EnumSet.of(Library.CAFFEINE_ASYNC);
    private static final Set<Library> SYNC = EnumSet.complementOf(EnumSet.of(Library.CAFFEINE_ASYNC));

    private WaitCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("7a", "one of two waiters waits for its future with a timeout", ASYNC, WaitCases::timeout),
            Case.of("7b", "one of two waiters cancels its future", ASYNC,
                library -> leaves(library, future -> future.cancel(true))),
            Case.of("7c", "one of two waiters gives its future a timeout (orTimeout)", ASYNC,
                library -> leaves(library, future -> Caller.start(future.orTimeout(1, TimeUnit.MILLISECONDS)::get)
                    .result())),
            Case.of("7d", "one of two waiters is interrupted", WaitCases::interruptedWaiter),
            Case.of("7e", "the thread that loads is interrupted, its loader gives up; another waits", SYNC,
                WaitCases::interruptedLeader),
            Case.of("8a", "a get that comes while a load hangs", WaitCases::hangingLoad),
            Case.of("9a", "the only waiter's timeout runs out, then the load ends", ASYNC, WaitCases::nobodyWaits),
            Case.of("9b", "the only waiter cancels its future, then the load ends", ASYNC, WaitCases::nobodyLeft),
            Case.of("10a", MANY + " waiters of one key", WaitCases::manyWaiters),
            Case.of("10b", MANY + " loads at once", WaitCases::manyLoads));
    }

    private static String timeout(Library library) throws Exception {
        Play play = new Play(library);
        CompletableFuture<String> impatient = play.peer.later(KEY);
        Caller other = play.get(KEY);
        String left = Caller.start(() -> impatient.get(1, TimeUnit.MILLISECONDS)).result();
        other.settle();
        boolean waits = !other.isBack();
        play.loads.call(1).give("v");
        return "it gets " + left + "; the other " + (waits ? "waits on and gets " : "is given ") + other.result() + "; "
            + (play.peer.getIfPresent(KEY) == null ? "nothing is stored" : "the value is stored");
    }

    private static String leaves(Library library, Consumer<CompletableFuture<String>> leave) throws Exception {
        Play play = new Play(library);
        CompletableFuture<String> impatient = play.peer.later(KEY);
        Caller other = play.get(KEY);
        leave.accept(impatient);
        other.settle();
        boolean waits = !other.isBack();
        play.loads.call(1).give("v");
        play.peer.cleanUp();
        return "the other " + (waits ? "waits on and gets " : "gets at once ") + other.result() + "; "
            + (play.peer.getIfPresent(KEY) == null ? "what the load brings is dropped" : "the value is stored");
    }

    private static String interruptedWaiter(Library library) {
        Play play = new Play(library);
        Caller leader = play.get(KEY);
        Caller waiter = play.get(KEY);
        waiter.thread.interrupt();
        waiter.settle();
        boolean left = waiter.isBack();
        String early = left ? waiter.result() : "";
        play.drain("v");
        return (left ? "it leaves at once with " + early : "it waits on and gets " + waiter.result())
            + "; the other gets " + leader.result();
    }

    private static String interruptedLeader(Library library) {
        Play play = new Play(library);
        Caller leader = play.get(KEY);
        Caller waiter = play.get(KEY);
        play.loads.answer(call -> call.give("v"));
        leader.thread.interrupt();
        String gets = waiter.result();
        return "it gets " + leader.result() + "; who waits gets " + gets + ", "
            + Words.count(play.loads.count(), "load");
    }

    private static String hangingLoad(Library library) {
        Play play = new Play(library);
        Caller first = play.get(KEY);
        Caller later = play.get(KEY);
        boolean waits = !later.isBack() && play.loads.count() == 1;
        play.drain("v");
        boolean back = first.returns() && later.returns();
        if (!back) {
            return "hangs";
        }
        return waits ? "waits with it, however long" : Words.count(play.loads.count(), "load");
    }

    private static String nobodyWaits(Library library) throws Exception {
        Play play = new Play(library);
        CompletableFuture<String> only = play.peer.later(KEY);
        boolean left = false;
        try {
            only.get(0, TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            left = true;
        }
        play.loads.call(1).give("v");
        play.peer.cleanUp();
        return !left ? "it did not run out"
            : play.peer.getIfPresent(KEY) == null ? "what the load brings is dropped" : "the value is stored";
    }

    private static String nobodyLeft(Library library) throws Exception {
        Play play = new Play(library);
        CompletableFuture<String> only = play.peer.later(KEY);
        only.cancel(true);
        Caller next = play.get(KEY);
        boolean second = play.loads.count() == 2;
        play.loads.call(1).give("v");
        play.peer.cleanUp();
        boolean stored = play.peer.getIfPresent(KEY) != null;
        play.drain("w");
        return (stored ? "the value is stored" : "what the load brings is dropped") + "; a get before that "
            + (second ? "starts a second load" : "joins it") + " and gets " + next.result();
    }

    private static String manyWaiters(Library library) {
        Play play = new Play(library);
        List<Caller> callers = Play.herd(MANY, () -> play.peer.get(KEY));
        long waiting = callers.stream().filter(caller -> !caller.isBack()).count();
        play.drain("v");
        return waiting + " of " + MANY + " wait; " + Words.results(callers);
    }

    private static String manyLoads(Library library) {
        Play play = new Play(library);
        List<Caller> callers = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            String key = "k" + i;
            callers.add(play.get(key));
        }
        int loads = play.loads.count();
        play.drain("v");
        long back = callers.stream().filter(Caller::returns).count();
        return loads + " of " + MANY + " run" + (loads < MANY ? ", the others wait for these" : "") + "; "
            + (back == MANY ? "all get their value" : back + " get their value");
    }
}
