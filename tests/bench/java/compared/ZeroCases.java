/* SPDX-License-Identifier: MIT */
/*
 * Rule 13: a cache that stores nothing. Are the callers of one load still one load?
 */
package compared;

import static compared.Play.KEY;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

final class ZeroCases {
    private static final int CALLERS = 4;

    private ZeroCases() {
    }

    static List<Case> all() {
        return List.of(
            Case.of("13a", CALLERS + " callers at once, expireAfterWrite 0, the clock stands", library -> {
                Setup setup = new Setup();
                setup.expireAfterWrite = Duration.ZERO;
                return callers(library, setup, Duration.ZERO);
            }),
            Case.of("13b", "the same, the clock goes on by 1 ms between them", library -> {
                Setup setup = new Setup();
                setup.expireAfterWrite = Duration.ZERO;
                return callers(library, setup, Duration.ofMillis(1));
            }),
            Case.of("13c", CALLERS + " callers at once, maximumSize 0", library -> {
                Setup setup = new Setup();
                setup.maximumSize = 0;
                return callers(library, setup, Duration.ofMillis(1));
            }));
    }

    private static String callers(Library library, Setup setup, Duration between) {
        Play play = new Play(library, setup);
        List<Caller> callers = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            callers.add(play.get(KEY));
            setup.advance(between);
            play.peer.cleanUp();
        }
        play.drain("v");
        String results = Words.results(callers);
        int loads = play.loads.count();
        setup.advance(between);
        play.peer.cleanUp();
        return results + "; " + Words.count(loads, "load") + "; "
            + (play.peer.getIfPresent(KEY) == null ? "not stored" : "stored");
    }
}
