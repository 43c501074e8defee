package io.berth.pod.checkpoint;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Images as CRIU writes them, made by hand: numbers and fields of its {@code images/*.proto}. */
final class CriuBytes {

    static final int CORE = 0x55053847;
    static final int FILES = 0x56303138;
    static final int MOUNTS = 0x55563928;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    CriuBytes(int magic) {
        number(0x54564319).number(magic);
    }

    CriuBytes number(int number) {
        bytes.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array());
        return this;
    }

    CriuBytes entry(UnknownFieldSet.Builder message) {
        byte[] raw = message.build().toByteArray();
        number(raw.length);
        bytes.writeBytes(raw);
        return this;
    }

    byte[] bytes() {
        return bytes.toByteArray();
    }

    /** A message; values are numbers, texts and messages, each after its field. */
    static UnknownFieldSet.Builder message(Object... fieldsAndValues) {
        UnknownFieldSet.Builder message = UnknownFieldSet.newBuilder();
        for (int i = 0; i < fieldsAndValues.length; i += 2) {
            Field.Builder field = Field.newBuilder();
            switch (fieldsAndValues[i + 1]) {
                case Number number -> field.addVarint(number.longValue());
                case String text -> field.addLengthDelimited(ByteString.copyFromUtf8(text));
                case UnknownFieldSet.Builder inner -> field.addLengthDelimited(inner.build().toByteString());
                default -> throw new IllegalArgumentException("a value of another type");
            }
            message.mergeField((Integer) fieldsAndValues[i], field.build());
        }
        return message;
    }

    /** The mounts of a container, each with its flags. */
    static byte[] mounts(Object... pathsAndFlags) {
        CriuBytes image = new CriuBytes(MOUNTS);
        for (int i = 0; i < pathsAndFlags.length; i += 2) {
            image.entry(message(5, pathsAndFlags[i + 1], 7, pathsAndFlags[i]));
        }
        return image.bytes();
    }

    /** A thread that has the rights of {@code creds}. */
    static byte[] core(UnknownFieldSet.Builder creds, Object... ofThread) {
        UnknownFieldSet.Builder thread = message(ofThread).mergeFrom(message(10, creds).build());
        return new CriuBytes(CORE).entry(message(1, 1, 3, message(1, 1), 5, thread)).bytes();
    }
}
