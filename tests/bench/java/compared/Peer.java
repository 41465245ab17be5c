/* SPDX-License-Identifier: MIT */
/*
 * A cache of one of the libraries, by the calls that they all have. Each call is the library's own of that name; the
 * asynchronous cache is asked for a future, which is waited for, and changed by its synchronous view.
 */
package compared;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

interface Peer {
    /** Hits, misses, loads that brought a value, loads that failed. */
    record Counters(long hits, long misses, long loaded, long failed) {
    }

    String get(String key) throws Exception;

    Map<String, String> getAll(List<String> keys) throws Exception;

    String getIfPresent(String key);

    void put(String key, String value);

    void invalidate(String key);

    void invalidateKeys(List<String> keys);

    void invalidateAll();

    void refresh(String key);

    Counters counters();

    /** Does what the library has put off, and waits until its executor rests. */
    void cleanUp();

    /** The future of an asynchronous get. */
    default CompletableFuture<String> later(String key) {
        throw new UnsupportedOperationException("only the asynchronous cache has futures");
    }
}
