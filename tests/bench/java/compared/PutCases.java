/* SPDX-License-Identifier: MIT */
/*
 * Rule 4: a put that meets a load in flight.
 */
package compared;

import static compared.Play.KEY;

import java.util.List;

final class PutCases {
    private PutCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("4a", "put of a key that is being loaded, one caller loads and one waits", PutCases::put),
            Case.of("4b", "put of a key that is being loaded in bulk", PutCases::bulk));
    }

    private static String put(Library library) {
        Play play = new Play(library);
        Caller leader = play.get(KEY);
        Caller waiter = play.get(KEY);
        Caller put = play.run(() -> play.peer.put(KEY, "put"));
        boolean blocks = !put.isBack();
        waiter.settle();
        boolean released = waiter.isBack();
        play.loads.call(1).give("loaded");
        boolean back = put.returns() && leader.returns() && waiter.returns();
        if (!back) {
            return "hangs";
        }
        // Where the put has to wait, who is first behind it is the lock's doing, and no promise of anybody.
        String waits = blocks ? "who waits waits on" : "who waits gets " + waiter.result()
            + (released ? " at once" : " when the load ends");
        return (blocks ? "blocks until the load ends; " : "stores at once; ") + waits + ", who loads gets "
            + leader.result() + "; then " + play.finallyGet(KEY) + " is given";
    }

    private static String bulk(Library library) {
        Setup setup = new Setup();
        setup.bulk = true;
        Play play = new Play(library, setup);
        Caller bulk = Caller.settle(() -> play.peer.getAll(List.of("a", "b")).get("a"));
        Caller put = play.run(() -> play.peer.put("a", "put"));
        boolean blocks = !put.isBack();
        play.loads.call(1).give("loaded");
        boolean back = put.returns() && bulk.returns();
        play.peer.cleanUp();
        if (!back) {
            return "hangs";
        }
        return (blocks ? "blocks until the load ends; " : "stores at once; ") + "who loads gets " + bulk.result()
            + "; then " + play.finallyGet("a") + " is given";
    }
}
