/* SPDX-License-Identifier: MIT */
/*
 * A load that a cache has asked for. It stands still until the case ends it, so that a case can do whatever it likes
 * while the load is in flight. Made by Loads only.
 */
package compared;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

final class Call {
    final List<String> keys;
    /** What the cache handed over to be reloaded; null when this is not a reload. */
    final String oldValue;
    private final CompletableFuture<Map<String, String>> end = new CompletableFuture<>();

    Call(List<String> keys, String oldValue) {
        this.keys = keys;
        this.oldValue = oldValue;
    }

    /** Ends the load: each of its keys has this value; null: there is none. */
    void give(String value) {
        Map<String, String> values = new HashMap<>();
        if (value != null) {
            keys.forEach(key -> values.put(key, value));
        }
        end.complete(values);
    }

    /** Ends a bulk load, with a value for some of its keys or all of them. */
    void giveAll(Map<String, String> values) {
        end.complete(values);
    }

    void fail(Exception failure) {
        end.completeExceptionally(failure);
    }

    /** What a blocking loader does: stands here until the case ends the load. */
    Map<String, String> hold() throws Exception {
        try {
            return end.get(Limits.ABANDONED_S, TimeUnit.SECONDS);
        } catch (ExecutionException failure) {
            throw (Exception) failure.getCause();
        } catch (TimeoutException late) {
            throw new IllegalStateException("the case never ended this load of " + keys, late);
        }
    }

    /**
     * What an asynchronous loader gives back: a future that is completed by whoever ends the load, as supplyAsync would
     * do it. Cancelling it does not end the load.
     */
    CompletableFuture<String> later() {
        return later(values -> values.get(keys.get(0)));
    }

    CompletableFuture<Map<String, String>> laterAll() {
        return later(values -> values);
    }

    private <T> CompletableFuture<T> later(Function<Map<String, String>, T> pick) {
        CompletableFuture<T> later = new CompletableFuture<>();
        end.whenComplete((values, failure) -> {
            if (failure == null) {
                later.complete(pick.apply(values));
            } else {
                later.completeExceptionally(failure);
            }
        });
        return later;
    }
}
