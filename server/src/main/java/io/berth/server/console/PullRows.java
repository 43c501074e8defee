package io.berth.server.console;

import io.berth.image.PullProgress;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Pulls under way and those that ended a moment ago, with their layers. */
final class PullRows {

    private PullRows() {}

    static ObjectNode message(List<PullProgress.Snapshot> pulls) {
        ObjectNode message = JsonMapper.shared().createObjectNode();
        message.put("kind", "pulls");
        ArrayNode rows = message.putArray("pulls");
        for (PullProgress.Snapshot pull : pulls) {
            ObjectNode row = rows.addObject();
            row.put("reference", pull.reference()).put("startedAt", pull.startedAt().toEpochMilli())
                    .put("phase", word(pull.phase())).put("done", pull.doneBytes()).put("total", pull.totalBytes())
                    .put("retries", pull.retries()).put("error", pull.error().orElse(""))
                    .put("endedAt", pull.endedAt().map(at -> at.toEpochMilli()).orElse(0L));
            ArrayNode layers = row.putArray("layers");
            pull.layers().forEach(layer -> layers.addObject().put("digest", layer.blob().toString())
                    .put("phase", word(layer.phase())).put("done", layer.doneBytes())
                    .put("unpacked", layer.unpackedBytes()).put("total", layer.totalBytes()));
        }
        return message;
    }

    private static String word(PullProgress.Phase phase) {
        return phase.name().toLowerCase(Locale.ROOT);
    }
}
