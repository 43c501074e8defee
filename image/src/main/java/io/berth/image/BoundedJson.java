package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A JSON object from outside, bounded in size, depth and members, without repeated keys, whose members are read with their
 * types checked. A member that is missing or null is empty; one of a wrong type is refused with kind DATA_LOSS.
 */
final class BoundedJson {

    /** A member of a tree takes a hundred bytes where the text has three: what fits the limit of bytes may not fit the heap. */
    private static final int TOKEN_LIMIT = 100_000;

    /** Also writes; shared because building a mapper takes milliseconds. */
    static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(64).maxStringLength(4 << 20).maxNameLength(64 << 10)
                            .maxNumberLength(40).maxDocumentLength(64L << 20).maxTokenCount(TOKEN_LIMIT).build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

    private final String what;
    private final JsonNode root;

    private BoundedJson(String what, JsonNode root) {
        this.what = what;
        this.root = root;
    }

    /** @param what names the document in messages */
    static BoundedJson parse(String what, byte[] json, int sizeLimit) {
        if (json.length > sizeLimit) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS,
                    "read " + what + ": " + json.length + " bytes are more than the limit of " + sizeLimit);
        }
        try {
            JsonNode root = MAPPER.readTree(json);
            if (root == null || !root.isObject()) {
                throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "read " + what + ": not a JSON object");
            }
            return new BoundedJson(what, root);
        } catch (JacksonException e) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "read " + what + ": not valid JSON at "
                    + "line " + (e.getLocation() == null ? "?" : e.getLocation().getLineNr()), e);
        }
    }

    JsonNode root() {
        return root;
    }

    /** The member, or an empty object. */
    JsonNode object(JsonNode in, String key) {
        JsonNode value = in.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return MAPPER.createObjectNode();
        }
        if (!value.isObject()) {
            throw bad("\"" + key + "\" is not an object");
        }
        return value;
    }

    /** The members of an array, which must be objects. */
    List<JsonNode> objects(JsonNode in, String key) {
        List<JsonNode> found = array(in, key);
        if (!found.stream().allMatch(JsonNode::isObject)) {
            throw bad("\"" + key + "\" has a member that is not an object");
        }
        return found;
    }

    String string(JsonNode in, String key) {
        JsonNode value = in.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return "";
        }
        if (!value.isString()) {
            throw bad("\"" + key + "\" is not text");
        }
        return value.stringValue();
    }

    /** A whole number that is not negative; 0 when missing. */
    long count(JsonNode in, String key) {
        JsonNode value = in.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return 0;
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
            throw bad("\"" + key + "\" is not a whole number from 0");
        }
        return value.longValue();
    }

    List<String> strings(JsonNode in, String key) {
        List<String> found = new ArrayList<>();
        for (JsonNode member : array(in, key)) {
            if (!member.isString()) {
                throw bad("\"" + key + "\" has a member that is not text");
            }
            found.add(member.stringValue());
        }
        return found;
    }

    /** The keys of an object that stands for a set. */
    List<String> keys(JsonNode in, String key) {
        return object(in, key).propertyNames().stream().sorted().toList();
    }

    Map<String, String> stringMap(JsonNode in, String key) {
        Map<String, String> found = new LinkedHashMap<>();
        JsonNode object = object(in, key);
        for (String name : object.propertyNames()) {
            found.put(name, string(object, name));
        }
        return found;
    }

    Optional<Instant> instant(JsonNode in, String key) {
        String text = string(in, key);
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException e) {
            // A strange date harms nobody: the image is still good.
            return Optional.empty();
        }
    }

    Digest digest(String text) {
        if (!Digest.isDigest(text)) {
            throw bad("\"" + (text.length() > 100 ? text.substring(0, 100) : text) + "\" is not a digest");
        }
        return Digest.parse(text);
    }

    RuntimeFault bad(String reason) {
        return new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "read " + what + ": " + reason);
    }

    private List<JsonNode> array(JsonNode in, String key) {
        JsonNode value = in.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return List.of();
        }
        if (!value.isArray()) {
            throw bad("\"" + key + "\" is not an array");
        }
        return new ArrayList<>(value.values());
    }
}
