/* SPDX-License-Identifier: MIT */
/*
 * What cannot be played because the library's interface has no such thing. This is documentation, read from the
 * interfaces of the two versions, and is printed apart from what was seen and marked as such.
 */
package compared;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

record Absent(String id, String thing, Set<Library> libraries, String reason) {
    private static final Set<Library> ALL = EnumSet.allOf(Library.class);
    private static final Set<Library> SYNC = EnumSet.of(Library.GUAVA, Library.CAFFEINE);
    private static final Set<Library> CAFFEINE = EnumSet.of(Library.CAFFEINE, Library.CAFFEINE_ASYNC);

    static List<Absent> all() {
        return List.of(
            new Absent("3p", "invalidation by prefix or tag", ALL, "invalidate takes a key, keys, or all"),
            new Absent("3s", "soft invalidation, which marks a value as stale", ALL, "what is invalidated is removed"),
            new Absent("5d", "failure back-off", ALL, "a load that failed leaves nothing behind"),
            new Absent("6c", "a time to live for not found", ALL, "null is not stored; callers can store an Optional"),
            new Absent("7t", "a wait with a time limit", SYNC, "get has no timeout"),
            new Absent("8b", "a deadline for loads", ALL, "the loader has to keep one itself"),
            new Absent("9c", "cancelling a load that nobody waits for", ALL, "the loader is never told"),
            new Absent("10c", "a bound on waiters or on loads", ALL, "only what is stored has a bound"),
            new Absent("12b", "stale-while-revalidate or stale-if-error past expiry, marked as stale", ALL,
                "a load that fails leaves nothing to give (12a), and no value is marked"),
            new Absent("15b", "batching of separate misses", ALL, "loadAll serves getAll only"),
            new Absent("18a", "closing a cache", ALL, "it lives until it is garbage"),
            new Absent("22d", "an eviction listener that runs before the value is gone", EnumSet.of(Library.GUAVA),
                "the removal listener runs afterwards"),
            new Absent("22e", "an eviction listener of its own", CAFFEINE,
                "CacheWriter comes nearest, and is told of every removal (19d)"));
    }
}
