/* SPDX-License-Identifier: MIT */
/*
 * Caffeine's LoadingCache, the synchronous one.
 */
package compared;

import com.github.benmanes.caffeine.cache.LoadingCache;
import java.util.List;
import java.util.Map;

class CaffeinePeer implements Peer {
    private final LoadingCache<String, String> cache;
    private final Pool pool;

    CaffeinePeer(Setup setup) {
        pool = new Pool();
        cache = CaffeineSetup.builder(setup, pool)
            .build(setup.bulk ? new CaffeineSetup.BulkLoader(setup) : new CaffeineSetup.Loader(setup));
    }

    /** For the asynchronous cache: its synchronous view. */
    CaffeinePeer(LoadingCache<String, String> view, Pool pool) {
        this.cache = view;
        this.pool = pool;
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
        return CaffeineSetup.counters(cache.stats());
    }

    @Override
    public void cleanUp() {
        pool.rest();
        cache.cleanUp();
        pool.rest();
    }
}
