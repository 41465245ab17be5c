/* SPDX-License-Identifier: MIT */
/*
 * Rules 14 and 15: many keys in one call, and many calls that could be one.
 */
package compared;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

final class BulkCases {
    private static final int MISSES = 4;

    private BulkCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("14a", "bulk get of a, b and c, loaded one by one; b fails", BulkCases::oneFails),
            Case.of("14b", "the same, loaded in bulk; the load brings all but b", BulkCases::oneMissing),
            Case.of("14c", "bulk get of a, b and c, loaded in bulk; a is stored, the load of the rest fails",
                BulkCases::bulkFails),
            Case.of("14d", "bulk gets of a, b and of b, a, loaded one by one", library -> opposite(library, false)),
            Case.of("14e", "the same, loaded in bulk", library -> opposite(library, true)),
            Case.of("14f", "bulk load of a and b that also brings c", BulkCases::extra),
            Case.of("15a", MISSES + " separate misses at one time, the loader can load in bulk", BulkCases::batch));
    }

    private static Play bulk(Library library) {
        Setup setup = new Setup();
        setup.bulk = true;
        return new Play(library, setup);
    }

    private static String stored(Play play, String... keys) {
        play.peer.cleanUp();
        StringBuilder stored = new StringBuilder();
        for (String key : keys) {
            if (play.peer.getIfPresent(key) != null) {
                stored.append(stored.isEmpty() ? "" : ", ").append(key);
            }
        }
        return "stored: " + (stored.isEmpty() ? "nothing" : stored);
    }

    private static String oneFails(Library library) {
        Play play = new Play(library);
        play.loads.answer(call -> {
            if (call.keys.contains("b")) {
                call.fail(new IOException("down"));
            } else {
                call.give("v");
            }
        });
        String result = play.getAll("a", "b", "c").result();
        return "the call gets " + result + "; " + stored(play, "a", "b", "c");
    }

    private static String oneMissing(Library library) {
        Play play = bulk(library);
        play.loads.answer(call -> call.giveAll(Map.of("a", "v", "c", "v")));
        String result = play.getAll("a", "b", "c").result();
        return "the call gets " + result + "; " + stored(play, "a", "b", "c");
    }

    private static String bulkFails(Library library) {
        Play play = bulk(library);
        play.peer.put("a", "v");
        play.loads.answer(call -> call.fail(new IOException("down")));
        String result = play.getAll("a", "b", "c").result();
        return "the call gets " + result + "; " + stored(play, "a", "b", "c");
    }

    private static String opposite(Library library, boolean bulk) {
        Setup setup = new Setup();
        setup.bulk = bulk;
        Play play = new Play(library, setup);
        Caller forth = play.getAll("a", "b");
        Caller back = play.getAll("b", "a");
        play.drain("v");
        boolean returned = forth.returns() && back.returns();
        return returned ? "both come back" : "hangs";
    }

    private static String extra(Library library) {
        Play play = bulk(library);
        play.loads.answer(call -> call.giveAll(Map.of("a", "v", "b", "v", "c", "v")));
        play.getAll("a", "b").result();
        return stored(play, "a", "b", "c");
    }

    private static String batch(Library library) {
        Play play = bulk(library);
        List<Caller> callers = new ArrayList<>();
        for (int i = 0; i < MISSES; i++) {
            String key = "k" + i;
            callers.add(play.get(key));
        }
        play.drain("v");
        boolean returned = callers.stream().allMatch(Caller::returns);
        return returned ? Words.count(play.loads.count(), "backend call") : "hangs";
    }
}
