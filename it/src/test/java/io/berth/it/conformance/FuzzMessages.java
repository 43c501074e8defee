package io.berth.it.conformance;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Random messages by their descriptions. What the node could suffer from comes from fixed lists: paths are below the test's
 * own directory, images are those of its registry, commands are harmless, nothing is privileged or shares a namespace of the
 * node. All else is arbitrary.
 */
final class FuzzMessages {

    private static final int DEPTH = 7;
    private static final List<String> TEXTS = List.of("", "a", "x".repeat(300), "ü", "a b", "a\nb", "a\0b", "../..", "/", "-1", "{}",
            "\"", "\u001b[0m", "%s%n", "0", "true");
    private static final List<Long> NUMBERS = List.of(0L, 1L, -1L, 2L, 100L, 1000L, 100_000L, 64L << 20, Long.MAX_VALUE, Long.MIN_VALUE,
            4_294_967_295L, 4_294_967_296L);
    private static final long NETWORK_NODE = 2;

    private final RandomGenerator random;
    private final Map<String, List<String>> texts;

    /** @param texts by the name of the field what a text of that field may be */
    FuzzMessages(RandomGenerator random, Map<String, List<String>> texts) {
        this.random = random;
        this.texts = texts;
    }

    /** Changes some fields of {@code message}, at any depth; {@code rate} is the share of fields changed. */
    Message mutate(Message message, double rate) {
        return mutate(message, rate, DEPTH);
    }

    private Message mutate(Message message, double rate, int depth) {
        Message.Builder builder = message.toBuilder();
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            if (isFixed(field)) {
                continue;
            }
            if (random.nextDouble() < rate) {
                change(builder, field, rate, depth);
            } else if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !field.isRepeated() && message.hasField(field) && depth > 0) {
                builder.setField(field, mutate((Message) message.getField(field), rate, depth - 1));
            }
        }
        return builder.build();
    }

    // What would let a container out, or run for long.
    private static boolean isFixed(FieldDescriptor field) {
        return List.of("privileged", "auth", "host_process").contains(field.getName());
    }

    private void change(Message.Builder builder, FieldDescriptor field, double rate, int depth) {
        builder.clearField(field);
        if (depth == 0 || random.nextInt(4) == 0) {
            return;
        }
        if (field.isMapField()) {
            for (int i = random.nextInt(3); i > 0; i--) {
                Message.Builder entry = builder.newBuilderForField(field);
                String key = field.getName().equals("sysctls") ? "sysctls" : field.getName() + ".key";
                entry.setField(entry.getDescriptorForType().findFieldByNumber(1), text(key));
                entry.setField(entry.getDescriptorForType().findFieldByNumber(2), text(field.getName() + ".value"));
                builder.addRepeatedField(field, entry.build());
            }
        } else if (field.isRepeated()) {
            if (field.getName().matches("cmd|command")) {
                // As a whole: a program with arguments that suit it.
                for (String word : random.nextInt(8) == 0 ? List.<String>of() : pick(COMMANDS)) {
                    builder.addRepeatedField(field, word);
                }
                return;
            }
            for (int i = random.nextInt(3); i > 0; i--) {
                builder.addRepeatedField(field, value(builder, field, rate, depth));
            }
        } else {
            builder.setField(field, value(builder, field, rate, depth));
        }
    }

    static final List<List<String>> COMMANDS = List.of(List.of("/bin/true"), List.of("/bin/false"), List.of("/bin/sleep", "100"),
            List.of("/bin/echo", "a\nb", "ü"), List.of("/bin/sh", "-c", "exit 3"));

    private Object value(Message.Builder builder, FieldDescriptor field, double rate, int depth) {
        return switch (field.getJavaType()) {
            case INT -> (int) number(field);
            case LONG -> number(field);
            case BOOLEAN -> random.nextBoolean();
            case FLOAT -> random.nextFloat();
            case DOUBLE -> random.nextDouble();
            case STRING -> text(texts.containsKey(field.getContainingType().getName() + "." + field.getName())
                    ? field.getContainingType().getName() + "." + field.getName() : field.getName());
            case BYTE_STRING -> ByteString.copyFromUtf8(pick(TEXTS));
            case ENUM -> enumeration(field);
            // Deeper fields are filled more often: an empty message tries nothing.
            case MESSAGE -> mutate(DynamicMessage.newBuilder(field.getMessageType()).build(), Math.max(rate, 0.4), depth - 1);
        };
    }

    private Object enumeration(FieldDescriptor field) {
        boolean namespace = field.getEnumType().getName().equals("NamespaceMode");
        int number = random.nextInt(12) == 0 ? random.nextInt() : random.nextInt(field.getEnumType().getValues().size());
        if (namespace && number == NETWORK_NODE) {
            number = 0;
        }
        return field.getEnumType().findValueByNumberCreatingIfUnknown(number);
    }

    private long number(FieldDescriptor field) {
        return switch (field.getName()) {
            case "host_port" -> pick(List.of(0L, 0L, 40_001L, 40_002L, -1L, 70_000L));
            case "container_port" -> pick(List.of(80L, 0L, -1L, 70_000L));
            case "timeout" -> pick(List.of(0L, 1L, 2L, -1L, Long.MIN_VALUE));
            default -> random.nextInt(4) == 0 ? random.nextLong() : pick(NUMBERS);
        };
    }

    private String text(String field) {
        List<String> own = texts.get(field);
        return pick(own == null ? TEXTS : own);
    }

    <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
