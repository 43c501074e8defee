package io.berth.cri.v1;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Reads messages whose bytes were put together by hand, field number by field number. */
class EncodingTest {
    @Test
    void aPodSandboxNameIsReadFromItsBytes() throws InvalidProtocolBufferException {
        byte[] bytes = hex("0a 03 77 65 62", "12 02 75 31", "1a 07 64 65 66 61 75 6c 74", "20 02");

        PodSandboxMetadata metadata = PodSandboxMetadata.parseFrom(bytes);

        assertEquals("web", metadata.getName());
        assertEquals("u1", metadata.getUid());
        assertEquals("default", metadata.getNamespace());
        assertEquals(2, metadata.getAttempt());
        assertArrayEquals(bytes, metadata.toByteArray());
    }

    @Test
    void anImageVolumeFieldWithATwoByteTagIsReadFromItsBytes() throws InvalidProtocolBufferException {
        // Field 18 has the tag 18 << 3 | 2 = 146, which is 92 01 as a varint.
        byte[] bytes = hex("0a 01 61", "12 06 0a 01 6b 12 01 76", "92 01 01 62", "9a 01 01 63", "a2 01 01 64");

        ImageSpec image = ImageSpec.parseFrom(bytes);

        assertEquals("a", image.getImage());
        assertEquals("v", image.getAnnotationsOrThrow("k"));
        assertEquals("b", image.getUserSpecifiedImage());
        assertEquals("c", image.getRuntimeHandler());
        assertEquals("d", image.getImageRef());
        assertTrue(image.getUnknownFields().asMap().isEmpty());
    }

    @Test
    void aUserOfZeroIsToldFromNoUser() throws IOException {
        byte[] zero = hex("2a 00");

        assertTrue(LinuxContainerSecurityContext.parseFrom(zero).hasRunAsUser());
        assertEquals(0, LinuxContainerSecurityContext.parseFrom(zero).getRunAsUser().getValue());
        assertFalse(LinuxContainerSecurityContext.parseFrom(new byte[0]).hasRunAsUser());
    }

    @Test
    void repeatedNumbersAreReadPackedAndOneByOne() throws IOException {
        byte[] packed = hex("42 03 0a e8 07");
        byte[] oneByOne = hex("40 0a", "40 e8 07");

        for (byte[] bytes : List.of(packed, oneByOne)) {
            LinuxContainerSecurityContext context = LinuxContainerSecurityContext.parseFrom(bytes);
            assertEquals(List.of(10L, 1000L), context.getSupplementalGroupsList());
        }
        assertArrayEquals(packed, LinuxContainerSecurityContext.newBuilder()
                .addSupplementalGroups(10).addSupplementalGroups(1000).build().toByteArray());
    }

    @Test
    void aContainerStatusIsReadFromFieldsWrittenOneByOne() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.writeString(1, "c1");
        out.writeByteArray(2, hex("0a 03 61 70 70", "10 01"));
        out.writeEnum(3, 2);
        out.writeInt64(4, 1_700_000_000_000_000_001L);
        out.writeInt32(7, -1);
        out.writeString(10, "OOMKilled");
        out.writeByteArray(12, hex("0a 01 6b 12 01 76"));
        out.writeTag(18, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        out.writeByteArrayNoTag(hex("0a 05 08 e8 07 10 64"));
        out.writeEnum(19, 23);
        out.flush();

        ContainerStatus status = ContainerStatus.parseFrom(bytes.toByteArray());

        assertEquals("c1", status.getId());
        assertEquals(ContainerMetadata.newBuilder().setName("app").setAttempt(1).build(), status.getMetadata());
        assertEquals(ContainerState.CONTAINER_EXITED, status.getState());
        assertEquals(1_700_000_000_000_000_001L, status.getCreatedAt());
        assertEquals(-1, status.getExitCode());
        assertEquals("OOMKilled", status.getReason());
        assertEquals("v", status.getLabelsOrThrow("k"));
        assertEquals(1000, status.getUser().getLinux().getUid());
        assertEquals(100, status.getUser().getLinux().getGid());
        assertEquals(Signal.SIGNAL_SIGTERM, status.getStopSignal());
        assertTrue(status.getUnknownFields().asMap().isEmpty());
    }

    @Test
    void fieldsOfALaterVersionSurviveAPassThroughBerth() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.writeString(1, "web");
        out.writeString(1000, "from the future");
        out.flush();

        PodSandboxMetadata metadata = PodSandboxMetadata.parseFrom(bytes.toByteArray());

        assertEquals("web", metadata.getName());
        assertEquals(ByteString.copyFrom(bytes.toByteArray()), metadata.toByteString());
    }

    private static byte[] hex(String... parts) {
        return HexFormat.ofDelimiter(" ").parseHex(String.join(" ", parts));
    }
}
