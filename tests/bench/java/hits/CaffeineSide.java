/* SPDX-License-Identifier: MIT */
package hits;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import hits.Keys.Key;
import java.util.concurrent.TimeUnit;

/** LoadingCache.get(): what coalesces misses, as sluice_get() does. */
final class CaffeineSide implements Side {
    private final LoadingCache<Key, byte[]> cache;

    CaffeineSide(int room, long expireMs) {
        cache = create(room, expireMs);
    }

    static LoadingCache<Key, byte[]> create(int room, long expireMs) {
        Caffeine<Object, Object> builder = Caffeine.newBuilder().maximumSize(room);
        if (expireMs >= 0) {
            builder.expireAfterWrite(expireMs, TimeUnit.MILLISECONDS);
        }
        return builder.build(key -> {
            throw new IllegalStateException("a key was to be loaded, though all are there");
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
            sum += cache.get(keys[numbers[i]])[0];
        }
        return sum;
    }
}
