package io.berth.pod.record;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.Nulls;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.PodSandboxConfig;
import java.util.Base64;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.deser.std.StdDeserializer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/**
 * Records as JSON documents, of this version of Berth and others: a field that an older one did not write is empty, one that
 * only a newer one knows is left out. The messages of the CRI stay in their wire format, in base64: fields that this version
 * does not know come back as they were. A value that cannot be understood makes a record unreadable.
 */
final class RecordFormat {

    private final JsonMapper mapper;

    RecordFormat() {
        SimpleModule messages = new SimpleModule();
        register(messages, PodSandboxConfig.class, PodSandboxConfig.getDefaultInstance(), PodSandboxConfig.parser());
        register(messages, ContainerConfig.class, ContainerConfig.getDefaultInstance(), ContainerConfig.parser());
        register(messages, LinuxContainerResources.class, LinuxContainerResources.getDefaultInstance(), LinuxContainerResources.parser());
        register(messages, Mount.class, Mount.getDefaultInstance(), Mount.parser());
        mapper = JsonMapper.builder().addModule(messages)
                .changeDefaultNullHandling(missing -> missing.withValueNulls(Nulls.AS_EMPTY))
                // What a record says of itself, such as whether it is live, is not part of it.
                .changeDefaultVisibility(visible -> visible.withIsGetterVisibility(JsonAutoDetect.Visibility.NONE))
                .build();
    }

    byte[] write(Object document) {
        return mapper.writeValueAsBytes(document);
    }

    <T> T read(byte[] document, Class<T> type) {
        return mapper.readValue(document, type);
    }

    private static <M extends MessageLite> void register(SimpleModule module, Class<M> type, M none, Parser<M> parser) {
        module.addSerializer(type, new StdSerializer<M>(type) {
            @Override
            public void serialize(M message, JsonGenerator generator, SerializationContext context) {
                generator.writeString(Base64.getEncoder().encodeToString(message.toByteArray()));
            }
        });
        module.addDeserializer(type, new StdDeserializer<M>(type) {
            @Override
            public Object getEmptyValue(DeserializationContext context) {
                return none;
            }

            @Override
            public M deserialize(JsonParser json, DeserializationContext context) {
                try {
                    return parser.parseFrom(Base64.getDecoder().decode(json.getString()));
                } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
                    throw DatabindException.from(json, "read a stored " + type.getSimpleName(), e);
                }
            }
        });
    }
}
