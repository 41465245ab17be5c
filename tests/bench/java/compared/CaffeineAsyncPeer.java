/* SPDX-License-Identifier: MIT */
/*
 * Caffeine's AsyncLoadingCache.
 */
package compared;

import com.github.benmanes.caffeine.cache.AsyncLoadingCache;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

final class CaffeineAsyncPeer extends CaffeinePeer {
    private final AsyncLoadingCache<String, String> cache;

    CaffeineAsyncPeer(Setup setup) {
        this(setup, new Pool());
    }

    private CaffeineAsyncPeer(Setup setup, Pool pool) {
        this(CaffeineSetup.builder(setup, pool)
            .buildAsync(setup.bulk ? new CaffeineSetup.AsyncBulkLoader(setup) : new CaffeineSetup.AsyncLoader(setup)),
            pool);
    }

    private CaffeineAsyncPeer(AsyncLoadingCache<String, String> cache, Pool pool) {
        super(cache.synchronous(), pool);
        this.cache = cache;
    }

    @Override
    public String get(String key) throws Exception {
        return cache.get(key).get();
    }

    @Override
    public Map<String, String> getAll(List<String> keys) throws Exception {
        return cache.getAll(keys).get();
    }

    @Override
    public CompletableFuture<String> later(String key) {
        return cache.get(key);
    }
}
