/* SPDX-License-Identifier: MIT */
/*
 * What a case asks of a cache, in words that all three libraries have. Library makes a cache of it.
 */
package compared;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

final class Setup {
    /** The backend; held loads. */
    final Loads loads = new Loads();
    /** The clock of the cache, in nanoseconds: it moves only when the case moves it. */
    final AtomicLong now = new AtomicLong(1);

    /** Instead of `loads`: a loader that runs as it likes; in the asynchronous cache on a thread of its executor. */
    UnaryOperator<String> loader;
    /** The same for a loader that gives a future back; asynchronous cache only. */
    Function<String, CompletableFuture<String>> loaderLater;
    /** Whether the loader can load many keys in one call. */
    boolean bulk;
    /** Guava only: a reload that gives a future back at once, in place of the default, which loads on the caller. */
    boolean reloadLater = true;
    long maximumSize = 1000;
    boolean bounded = true;
    Duration expireAfterWrite;
    Duration refreshAfterWrite;
    /** Told of each stored value that leaves: its value and why. */
    BiConsumer<String, String> listener;
    /** Caffeine only: a CacheWriter calls it for each value that leaves. */
    Runnable deleted;
    /** Called with each value that is stored, under whatever lock the cache holds then. */
    Runnable weighed;

    void advance(Duration time) {
        now.addAndGet(time.toNanos());
    }
}
