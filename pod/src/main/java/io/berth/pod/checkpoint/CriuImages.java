package io.berth.pod.checkpoint;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.berth.base.RuntimeFault;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The images that CRIU has written, as far as what is in them decides about a restore: unlike the JSON beside them they are
 * what CRIU goes by. Hostile, and read with limits. Source: CRIU, {@code images/*.proto} and {@code criu/include/magic.h}:
 * two magic numbers, then messages with their sizes before them, all numbers little-endian.
 *
 * @param directory where they are
 * @param shown the checkpoint, for messages
 */
record CriuImages(Path directory, String shown) {

    /** What an image holds, with its magic number and the beginning of its name. */
    enum Kind {
        CORE(0x55053847, "core-"), FILES(0x56303138, "files.img"), MOUNTS(0x55563928, "mountpoints-");

        private final int magic;
        private final String name;

        Kind(int magic, String name) {
            this.magic = magic;
            this.name = name;
        }
    }

    private static final int COMMON_MAGIC = 0x54564319;
    private static final int MESSAGE_LIMIT = 4 << 20;
    private static final int MESSAGES_LIMIT = 1_000_000;

    /**
     * Reads all messages of all images of a kind, in no certain order. False where there is no such image.
     *
     * @throws RuntimeFault INVALID_ARGUMENT for an image that is none
     */
    boolean read(Kind kind, Consumer<UnknownFieldSet> visitor) {
        try (Stream<Path> all = Files.list(directory)) {
            List<Path> images = all.filter(file -> file.getFileName().toString().startsWith(kind.name)).sorted().toList();
            for (Path image : images) {
                read(image, kind, visitor);
            }
            return !images.isEmpty();
        } catch (IOException e) {
            throw RuntimeFault.internal("read checkpoint " + shown + ": " + RuntimeFault.reason(e), e);
        }
    }

    private void read(Path image, Kind kind, Consumer<UnknownFieldSet> visitor) throws IOException {
        String name = image.getFileName().toString();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(image), 1 << 16)) {
            if (number(in, name) != COMMON_MAGIC || number(in, name) != kind.magic) {
                throw bad(name, "it does not begin as such an image does");
            }
            for (int count = 0; ; count++) {
                byte[] size = in.readNBytes(Integer.BYTES);
                if (size.length == 0) {
                    return;
                }
                int bytes = little(size, name);
                if (bytes < 0 || bytes > MESSAGE_LIMIT || count == MESSAGES_LIMIT) {
                    throw bad(name, "it has more than the limit");
                }
                byte[] message = in.readNBytes(bytes);
                if (message.length < bytes) {
                    throw bad(name, "it ends in the middle of a message");
                }
                visitor.accept(UnknownFieldSet.parseFrom(message));
            }
        } catch (InvalidProtocolBufferException e) {
            throw bad(name, "a message in it is damaged");
        }
    }

    private int number(InputStream in, String name) throws IOException {
        return little(in.readNBytes(Integer.BYTES), name);
    }

    private int little(byte[] bytes, String name) {
        if (bytes.length < Integer.BYTES) {
            throw bad(name, "it ends too early");
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    /** The bytes of a text or message field; empty where the field is missing. */
    byte[] bytes(UnknownFieldSet message, int field) {
        var values = message.getField(field).getLengthDelimitedList();
        return only(message, field, values).map(ByteString::toByteArray).orElse(new byte[0]);
    }

    /** The number in a field; zero where the field is missing. */
    long number(UnknownFieldSet message, int field) {
        return only(message, field, message.getField(field).getVarintList()).orElse(0L);
    }

    /** The numbers of a field that may be there often. */
    List<Long> numbers(UnknownFieldSet message, int field) {
        UnknownFieldSet.Field found = message.getField(field);
        if (found.getVarintList().size() != occurrences(found)) {
            throw bad("field " + field, "it is of another type");
        }
        return found.getVarintList();
    }

    /** The message in a field; an empty one where the field is missing. */
    UnknownFieldSet message(UnknownFieldSet message, int field) {
        try {
            return UnknownFieldSet.parseFrom(bytes(message, field));
        } catch (InvalidProtocolBufferException e) {
            throw bad("field " + field, "a message in it is damaged");
        }
    }

    // Readers differ in which of several values they take, so that there must not be several.
    private <T> Optional<T> only(UnknownFieldSet message, int field, List<T> values) {
        if (occurrences(message.getField(field)) > 1 || values.size() != occurrences(message.getField(field))) {
            throw bad("field " + field, "it is there twice or of another type");
        }
        return values.stream().findFirst();
    }

    private static int occurrences(UnknownFieldSet.Field field) {
        return field.getVarintList().size() + field.getLengthDelimitedList().size() + field.getFixed32List().size()
                + field.getFixed64List().size() + field.getGroupList().size();
    }

    RuntimeFault bad(String name, String reason) {
        return RuntimeFault.invalid("read checkpoint " + shown + ": CRIU's image " + name + ": " + reason);
    }
}
