/* SPDX-License-Identifier: MIT */
/*
 * A hard case: what is played, and on which caches. Its outcome is made of what was seen, in a few words.
 */
package compared;

import java.util.EnumSet;
import java.util.Set;

record Case(String id, String title, Set<Library> libraries, Body body) {
    /** Plays the case; returns its outcome. */
    interface Body {
        String play(Library library) throws Exception;
    }

    static Case of(String id, String title, Body body) {
        return new Case(id, title, EnumSet.allOf(Library.class), body);
    }

    /** A case that has a meaning for these only. */
    static Case of(String id, String title, Set<Library> libraries, Body body) {
        return new Case(id, title, libraries, body);
    }
}
