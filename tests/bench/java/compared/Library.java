/* SPDX-License-Identifier: MIT */
/*
 * The caches that are compared.
 */
package compared;

import java.util.function.Function;

enum Library {
    GUAVA("guava", "Guava's LoadingCache", GuavaPeer::new),
    CAFFEINE("caffeine", "Caffeine's LoadingCache (synchronous)", CaffeinePeer::new),
    CAFFEINE_ASYNC("caffeine-async", "Caffeine's AsyncLoadingCache", CaffeineAsyncPeer::new);

    /** As the output names it. */
    final String label;
    final String description;
    private final Function<Setup, Peer> make;

    Library(String label, String description, Function<Setup, Peer> make) {
        this.label = label;
        this.description = description;
        this.make = make;
    }

    Peer make(Setup setup) {
        return make.apply(setup);
    }

    boolean isAsync() {
        return this == CAFFEINE_ASYNC;
    }
}
