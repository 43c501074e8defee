package io.berth.pod.checkpoint;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import io.berth.base.RuntimeFault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Takes the mode of the root directory out of CRIU's image of open files. CRIU compares it, and CRI-O gives that directory
 * another mode than Berth and containerd do, whatever an image or the changes say of it: no checkpoint would be restored
 * there. The field need not be there. Stateless. Source: CRIU, {@code images/fdinfo.proto}, {@code images/regfile.proto}.
 */
final class ForgetRootMode {

    private static final int REGULAR_FILE = 3;
    private static final int NAME = 6;
    private static final int MODE = 10;

    private ForgetRootMode() {}

    /** Writes the images in {@code directory} anew where they have that mode; as they were when they cannot be read. */
    static void in(Path directory) {
        Path files = directory.resolve("files.img");
        CriuImages images = new CriuImages(directory, directory.toString());
        ByteArrayOutputStream changed = new ByteArrayOutputStream();
        try {
            if (!Files.isRegularFile(files)) {
                return;
            }
            changed.write(Files.readAllBytes(files), 0, 2 * Integer.BYTES);
            images.read(CriuImages.Kind.FILES, entry -> append(changed, without(images, entry)));
            Files.write(files, changed.toByteArray());
        } catch (IOException | RuntimeFault | IndexOutOfBoundsException unreadable) {
            // Of a CRIU that writes something else: it is restored where the root directory has the same mode.
            return;
        }
    }

    private static UnknownFieldSet without(CriuImages images, UnknownFieldSet entry) {
        UnknownFieldSet file = images.message(entry, REGULAR_FILE);
        if (!new String(images.bytes(file, NAME), StandardCharsets.UTF_8).equals("/")) {
            return entry;
        }
        ByteString plain = file.toBuilder().clearField(MODE).build().toByteString();
        return entry.toBuilder().clearField(REGULAR_FILE)
                .mergeField(REGULAR_FILE, Field.newBuilder().addLengthDelimited(plain).build()).build();
    }

    private static void append(ByteArrayOutputStream out, UnknownFieldSet entry) {
        try {
            byte[] message = entry.toByteArray();
            out.write(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(message.length).array());
            out.write(message);
        } catch (IOException e) {
            throw RuntimeFault.internal("write an image: " + RuntimeFault.reason(e), e);
        }
    }
}
