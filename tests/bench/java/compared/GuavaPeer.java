/* SPDX-License-Identifier: MIT */
/*
 * Guava's LoadingCache.
 */
package compared;

import com.google.common.base.Ticker;
import com.google.common.cache.CacheBuilder;
import com.google.common.cache.CacheLoader;
import com.google.common.cache.CacheStats;
import com.google.common.cache.LoadingCache;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.SettableFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

final class GuavaPeer implements Peer {
    private final LoadingCache<String, String> cache;

    GuavaPeer(Setup setup) {
        CacheBuilder<Object, Object> building = CacheBuilder.newBuilder().recordStats().ticker(new Ticker() {
            @Override
            public long read() {
                return setup.now.get();
            }
        });
        if (setup.expireAfterWrite != null) {
            building.expireAfterWrite(setup.expireAfterWrite);
        }
        if (setup.refreshAfterWrite != null) {
            building.refreshAfterWrite(setup.refreshAfterWrite);
        }
        if (setup.listener != null) {
            building.removalListener(gone -> setup.listener.accept((String) gone.getValue(), gone.getCause().name()));
        }
        if (setup.weighed != null) {
            building.maximumWeight(setup.maximumSize).weigher((key, value) -> {
                setup.weighed.run();
                return 1;
            });
        } else if (setup.bounded) {
            building.maximumSize(setup.maximumSize);
        }
        cache = building.build(new Loader(setup));
    }

    private static final class Loader extends CacheLoader<String, String> {
        private final Setup setup;

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
        public Map<String, String> loadAll(Iterable<? extends String> keys) throws Exception {
            if (!setup.bulk) {
                return super.loadAll(keys);
            }
            List<String> list = new ArrayList<>();
            keys.forEach(list::add);
            return setup.loads.begin(list, null).hold();
        }

        @Override
        public ListenableFuture<String> reload(String key, String oldValue) throws Exception {
            if (!setup.reloadLater) {
                return super.reload(key, oldValue);
            }
            CompletableFuture<String> later = setup.loads.begin(List.of(key), oldValue).later();
            SettableFuture<String> future = SettableFuture.create();
            later.whenComplete((value, failure) -> {
                if (failure == null) {
                    future.set(value);
                } else {
                    future.setException(failure);
                }
            });
            return future;
        }
    }

    @Override
    public String get(String key) throws Exception {
        return cache.get(key);
    }

    @Override
    public Map<String, String> getAll(List<String> keys) throws Exception {
        return cache.getAll(keys);
    }

    @Override
    public String getIfPresent(String key) {
        return cache.getIfPresent(key);
    }

    @Override
    public void put(String key, String value) {
        cache.put(key, value);
    }

    @Override
    public void invalidate(String key) {
        cache.invalidate(key);
    }

    @Override
    public void invalidateKeys(List<String> keys) {
        cache.invalidateAll(keys);
    }

    @Override
    public void invalidateAll() {
        cache.invalidateAll();
    }

    @Override
    public void refresh(String key) {
        cache.refresh(key);
    }

    @Override
    public Counters counters() {
        CacheStats stats = cache.stats();
        return new Counters(stats.hitCount(), stats.missCount(), stats.loadSuccessCount(), stats.loadExceptionCount());
    }

    @Override
    public void cleanUp() {
        cache.cleanUp();
    }
}
