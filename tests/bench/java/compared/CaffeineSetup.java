/* SPDX-License-Identifier: MIT */
/*
 * What Caffeine's two caches have in common: the builder and the loaders.
 */
package compared;

import com.github.benmanes.caffeine.cache.AsyncCacheLoader;
import com.github.benmanes.caffeine.cache.CacheLoader;
import com.github.benmanes.caffeine.cache.CacheWriter;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import com.github.benmanes.caffeine.cache.stats.CacheStats;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

final class CaffeineSetup {
    private CaffeineSetup() {
    }

    static Caffeine<Object, Object> builder(Setup setup, Pool pool) {
        Caffeine<Object, Object> building =
            Caffeine.newBuilder().recordStats().executor(pool).ticker(setup.now::get);
        if (setup.expireAfterWrite != null) {
            building.expireAfterWrite(setup.expireAfterWrite);
        }
        if (setup.refreshAfterWrite != null) {
            building.refreshAfterWrite(setup.refreshAfterWrite);
        }
        if (setup.bounded && setup.weighed == null) {
            building.maximumSize(setup.maximumSize);
        }
        if (setup.listener != null) {
            building.removalListener((key, value, cause) -> setup.listener.accept((String) value, cause.name()));
        }
        if (setup.weighed != null) {
            building.maximumWeight(setup.maximumSize).weigher((key, value) -> {
                setup.weighed.run();
                return 1;
            });
        }
        if (setup.deleted != null) {
            building.writer(new Deleted(setup.deleted));
        }
        return building;
    }

    private record Deleted(Runnable deleted) implements CacheWriter<Object, Object> {
        @Override
        public void write(Object key, Object value) {
            // Only what leaves is of interest.
        }

        @Override
        public void delete(Object key, Object value, RemovalCause cause) {
            deleted.run();
        }
    }

    static Peer.Counters counters(CacheStats stats) {
        return new Peer.Counters(stats.hitCount(), stats.missCount(), stats.loadSuccessCount(),
            stats.loadFailureCount());
    }

    static List<String> list(Iterable<? extends String> keys) {
        List<String> list = new ArrayList<>();
        keys.forEach(list::add);
        return list;
    }

    /** The loader of the synchronous cache. Whether it can load in bulk is seen by the library from its class. */
    static class Loader implements CacheLoader<String, String> {
        final Setup setup;

        Loader(Setup setup) {
            this.setup = setup;
        }

        @Override
        public String load(String key) throws Exception {
            if (setup.loader != null) {
                return setup.loader.apply(key);
            }
            return setup.loads.begin(List.of(key), null).hold().get(key);
        }

        @Override
        public CompletableFuture<String> asyncReload(String key, String oldValue, Executor executor) {
            return setup.loads.begin(List.of(key), oldValue).later();
        }
    }

    static final class BulkLoader extends Loader {
        BulkLoader(Setup setup) {
            super(setup);
        }

        @Override
        public Map<String, String> loadAll(Iterable<? extends String> keys) throws Exception {
            return setup.loads.begin(list(keys), null).hold();
        }
    }

    /** The loader of the asynchronous cache. */
    static class AsyncLoader implements AsyncCacheLoader<String, String> {
        final Setup setup;

        AsyncLoader(Setup setup) {
            this.setup = setup;
        }

        @Override
        public CompletableFuture<String> asyncLoad(String key, Executor executor) {
            if (setup.loaderLater != null) {
                return setup.loaderLater.apply(key);
            }
            if (setup.loader != null) {
                return CompletableFuture.supplyAsync(() -> setup.loader.apply(key), executor);
            }
            return setup.loads.begin(List.of(key), null).later();
        }

        @Override
        public CompletableFuture<String> asyncReload(String key, String oldValue, Executor executor) {
            return setup.loads.begin(List.of(key), oldValue).later();
        }
    }

    static final class AsyncBulkLoader extends AsyncLoader {
        AsyncBulkLoader(Setup setup) {
            super(setup);
        }

        @Override
        public CompletableFuture<Map<String, String>> asyncLoadAll(Iterable<? extends String> keys,
            Executor executor) {
            return setup.loads.begin(list(keys), null).laterAll();
        }
    }
}
