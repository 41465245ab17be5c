/* SPDX-License-Identifier: MIT */
package hits;

import com.google.common.cache.CacheBuilder;
import com.google.common.cache.CacheLoader;
import com.google.common.cache.LoadingCache;
import hits.Keys.Key;
import java.util.concurrent.TimeUnit;

/** LoadingCache.getUnchecked(): what coalesces misses, as sluice_get() does. */
final class GuavaSide implements Side {
    private final LoadingCache<Key, byte[]> cache;

    GuavaSide(int room, long expireMs) {
        cache = create(room, expireMs);
    }

    static LoadingCache<Key, byte[]> create(int room, long expireMs) {
        CacheBuilder<Object, Object> builder = CacheBuilder.newBuilder().maximumSize(room);
        if (expireMs >= 0) {
            builder.expireAfterWrite(expireMs, TimeUnit.MILLISECONDS);
        }
        return builder.build(new CacheLoader<>() {
            @Override
            public byte[] load(Key key) {
                throw new IllegalStateException("a key was to be loaded, though all are there");
            }
        });
    }

    @Override
    public void put(Key key, byte[] value) {
        cache.put(key, value);
    }

    @Override
    public long run(Key[] keys, int[] numbers, int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i++) {
            sum += cache.getUnchecked(keys[numbers[i]])[0];
        }
        return sum;
    }
}
