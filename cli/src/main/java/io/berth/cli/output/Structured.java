package io.berth.cli.output;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.berth.base.RuntimeFault;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Answers of a daemon as JSON or YAML. Names are those of the protocol's JSON mapping, as crictl prints them. */
public final class Structured {

    private Structured() {}

    /** An answer as JSON. */
    public static String json(Message message) {
        try {
            return JsonFormat.printer().print(message);
        } catch (InvalidProtocolBufferException e) {
            throw RuntimeFault.internal("print " + message.getDescriptorForType().getName() + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** A tree as JSON or YAML; a table has no tree, so that the other formats give JSON too. */
    public static String text(JsonNode tree, Format format) {
        return format == Format.YAML ? YAMLMapper.shared().writeValueAsString(tree).strip()
                : JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(tree);
    }

    /** An answer as JSON or YAML. */
    public static String text(Message message, Format format) {
        return format == Format.YAML ? text(tree(message), format) : json(message);
    }

    /** An answer as a tree. */
    public static JsonNode tree(Message message) {
        return JsonMapper.shared().readTree(json(message));
    }
}
