package io.berth.cri.v1;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/**
 * Holds Berth's own writing of the Container Runtime Interface against a table of what is published, so that no kubelet
 * meets a number or type it does not expect. The table, {@code cri-v1.txt}, was not made from Berth's files.
 */
class WireCompatibilityTest {
    private static final FileDescriptor OURS = CriProto.getDescriptor();

    @Test
    void everyFieldHasThePublishedNumberAndType() throws IOException {
        assertSameFacts("message");
    }

    @Test
    void everyEnumValueHasThePublishedNumber() throws IOException {
        assertSameFacts("enum");
    }

    @Test
    void everyCallHasThePublishedNameAndMessages() throws IOException {
        assertSameFacts("rpc");
    }

    @Test
    void theTableHasNoLineOfAnotherKind() throws IOException {
        for (String line : published(_ -> true)) {
            assertTrue(line.matches("(message|enum|rpc) .+"), () -> "unknown kind of fact: " + line);
        }
    }

    @Test
    void theGrpcStubsServeTheSameCallsAsTheDescriptors() {
        Set<String> stubs = new TreeSet<>();
        for (ServiceDescriptor service : Set.of(
                RuntimeServiceGrpc.getServiceDescriptor(), ImageServiceGrpc.getServiceDescriptor())) {
            service.getMethods().forEach(m ->
                    stubs.add(m.getFullMethodName() + " " + m.getType().serverSendsOneMessage()));
        }
        Set<String> described = new TreeSet<>();
        OURS.getServices().forEach(s -> s.getMethods().forEach(m ->
                described.add(s.getFullName() + "/" + m.getName() + " " + !m.toProto().getServerStreaming())));
        assertEquals(described, stubs);
    }

    private static void assertSameFacts(String kind) throws IOException {
        Predicate<String> ofKind = line -> line.startsWith(kind + " ");
        Set<String> published = published(ofKind);
        assertTrue(!published.isEmpty(), () -> "the table has no " + kind);
        Set<String> ours = new TreeSet<>();
        ours().stream().filter(ofKind).forEach(ours::add);

        Set<String> missing = new TreeSet<>(published);
        missing.removeAll(ours);
        Set<String> additional = new TreeSet<>(ours);
        additional.removeAll(published);
        if (!missing.isEmpty() || !additional.isEmpty()) {
            fail("not as published.\nPublished, but not ours:\n" + listed(missing)
                    + "\nOurs, but not published:\n" + listed(additional));
        }
    }

    private static String listed(Set<String> lines) {
        return lines.isEmpty() ? "  (none)" : lines.stream().map(line -> "  " + line).collect(joining("\n"));
    }

    private static Set<String> published(Predicate<String> wanted) throws IOException {
        try (InputStream in = WireCompatibilityTest.class.getResourceAsStream("/cri-v1.txt")) {
            Set<String> lines = new TreeSet<>();
            new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.startsWith("#")).filter(wanted).forEach(lines::add);
            return lines;
        }
    }

    private static Set<String> ours() {
        Set<String> facts = new TreeSet<>();
        OURS.getMessageTypes().forEach(message -> add(facts, message));
        OURS.getEnumTypes().forEach(type -> add(facts, type));
        OURS.getServices().forEach(service -> service.getMethods().forEach(call -> add(facts, call)));
        return facts;
    }

    private static void add(Set<String> facts, Descriptor message) {
        String name = "message " + message.getFullName();
        facts.add(message.getOptions().getMapEntry() ? name + " map-entry" : name);
        for (FieldDescriptor field : message.getFields()) {
            facts.add(name + " field " + field.getNumber() + " " + field.getName() + " " + typeOf(field)
                    + (field.isRepeated() ? " repeated" : " optional")
                    + (field.getOptions().getDeprecated() ? " deprecated" : "")
                    + (field.getOptions().getDebugRedact() ? " redacted" : ""));
        }
        message.getEnumTypes().forEach(type -> add(facts, type));
        message.getNestedTypes().forEach(nested -> add(facts, nested));
    }

    private static String typeOf(FieldDescriptor field) {
        String type = field.getType().name().toLowerCase(Locale.ROOT);
        return switch (field.getJavaType()) {
            case MESSAGE -> type + " " + field.getMessageType().getFullName();
            case ENUM -> type + " " + field.getEnumType().getFullName();
            default -> type;
        };
    }

    private static void add(Set<String> facts, EnumDescriptor type) {
        String name = "enum " + type.getFullName();
        facts.add(name);
        type.getValues().forEach(value -> facts.add(name + " " + value.getNumber() + " " + value.getName()));
    }

    private static void add(Set<String> facts, MethodDescriptor call) {
        MethodDescriptorProto proto = call.toProto();
        String streaming = proto.getClientStreaming()
                ? (proto.getServerStreaming() ? "bidirectional" : "client-stream")
                : (proto.getServerStreaming() ? "server-stream" : "unary");
        facts.add("rpc " + call.getFullName() + " " + call.getInputType().getFullName() + " "
                + call.getOutputType().getFullName() + " " + streaming);
    }
}
