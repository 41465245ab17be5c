/* SPDX-License-Identifier: MIT */
package hits;

import com.github.benmanes.caffeine.cache.LoadingCache;
import hits.Keys.Key;

/** Cache.getIfPresent(): its shortest way to a value. */
final class CaffeineIfPresentSide implements Side {
    private final LoadingCache<Key, byte[]> cache;

    CaffeineIfPresentSide(int room, long expireMs) {
        cache = CaffeineSide.create(room, expireMs);
    }

    @Override
    public void put(Key key, byte[] value) {
        cache.put(key, value);
    }

    @Override
    public long run(Key[] keys, int[] numbers, int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i++) {
            sum += cache.getIfPresent(keys[numbers[i]])[0];
        }
        return sum;
    }
}
