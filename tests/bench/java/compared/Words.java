/* SPDX-License-Identifier: MIT */
/*
 * How what was seen is put into words.
 */
package compared;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

final class Words {
    private Words() {
    }

    static String count(long number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }

    /** How often each came, in the order of first coming: "2 of old, 1 of new". */
    static String tally(List<String> all) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        all.forEach(one -> counts.merge(one, 1, Integer::sum));
        return counts.entrySet().stream().map(each -> each.getValue() + " x " + each.getKey())
            .collect(Collectors.joining(", "));
    }

    static String results(List<Caller> callers) {
        return tally(callers.stream().map(Caller::result).toList());
    }

    static String counters(Peer.Counters counters) {
        return Words.count(counters.hits(), "hit") + ", " + counters.misses()
            + (counters.misses() == 1 ? " miss" : " misses") + "; loads: " + counters.loaded() + " loaded, "
            + counters.failed() + " failed";
    }
}
