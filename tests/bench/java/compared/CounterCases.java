/* SPDX-License-Identifier: MIT */
/*
 * Rule 23: what the statistics make of it.
 */
package compared;

import static compared.Play.KEY;

import java.io.IOException;
import java.util.List;

final class CounterCases {
    private static final int CALLERS = 5;

    private CounterCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("23a", CALLERS + " gets of a cold key at once", library -> herd(library, call -> call.give("v"))),
            Case.of("23b", CALLERS + " gets at once of a key whose load fails",
                library -> herd(library, call -> call.fail(new IOException("down")))),
            Case.of("23c", CALLERS + " gets at once of a key that is not found (null)",
                library -> herd(library, call -> call.give(null))),
            Case.of("23d", "a bulk get of three keys, one of them stored, loaded in bulk", CounterCases::bulk),
            Case.of("23e", "a bulk get of three keys, one of them stored, loaded one by one", CounterCases::single),
            Case.of("23f", "one get; a put overtakes its load", CounterCases::overtaken));
    }

    private static String herd(Library library, Loads.Answer answer) {
        Play play = new Play(library);
        List<Caller> callers = Play.herd(CALLERS, () -> play.peer.get(KEY));
        play.loads.answer(answer);
        answer.end(play.loads.call(1));
        boolean back = callers.stream().allMatch(Caller::returns);
        play.peer.cleanUp();
        return back ? Words.counters(play.peer.counters()) : "hangs";
    }

    private static String bulk(Library library) {
        Setup setup = new Setup();
        setup.bulk = true;
        return three(new Play(library, setup));
    }

    private static String single(Library library) {
        return three(new Play(library));
    }

    private static String three(Play play) {
        play.peer.put("a", "v");
        play.loads.answer(call -> call.give("v"));
        boolean back = play.getAll("a", "b", "c").returns();
        play.peer.cleanUp();
        return back ? Words.counters(play.peer.counters()) : "hangs";
    }

    private static String overtaken(Library library) {
        Play play = new Play(library);
        Caller get = play.get(KEY);
        Caller put = play.run(() -> play.peer.put(KEY, "put"));
        play.loads.call(1).give("loaded");
        boolean back = get.returns() && put.returns();
        play.peer.cleanUp();
        return back ? Words.counters(play.peer.counters()) : "hangs";
    }
}
