package io.berth.shim;

import com.google.protobuf.InvalidProtocolBufferException;
import io.berth.base.RuntimeFault;
import io.berth.shim.v2.BootstrapResult;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.ByteBuffer;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where a shim answers.
 *
 * @param version of the task service
 * @param socket of a unix listener that speaks ttrpc
 */
record ShimAddress(int version, Path socket) {

    private static final int NEWEST = 3;
    private static final int LIMIT = 4096;

    /**
     * Reads what a shim printed at its start: the bare address, an object in JSON, or since containerd 2.3 a message.
     *
     * @throws RuntimeFault INTERNAL for what is none of these, UNSUPPORTED for another protocol than ttrpc on a unix socket
     */
    static ShimAddress parse(byte[] printed) {
        if (printed.length == 0 || printed.length > LIMIT) {
            throw garbage(printed.length == 0 ? "it printed nothing" : "it printed more than " + LIMIT + " bytes");
        }
        // A message begins with the tag of its version, which is no printable character.
        if (printed[0] == 8) {
            return ofMessage(printed);
        }
        String text = text(printed).strip();
        return text.startsWith("{") ? ofJson(text) : of(2, "ttrpc", text);
    }

    private static ShimAddress ofMessage(byte[] printed) {
        try {
            BootstrapResult result = BootstrapResult.parseFrom(printed);
            return of(result.getVersion(), result.getProtocol(), result.getAddress());
        } catch (InvalidProtocolBufferException e) {
            throw garbage("what it printed is no message");
        }
    }

    private static ShimAddress ofJson(String text) {
        try {
            JsonNode json = JsonMapper.shared().readTree(text);
            return of(json.path("version").asInt(0), json.path("protocol").asString(""), json.path("address").asString(""));
        } catch (JacksonException e) {
            throw garbage("what it printed is no JSON");
        }
    }

    static ShimAddress of(int version, String protocol, String address) {
        if (version < 2 || version > NEWEST) {
            throw RuntimeFault.unsupported("start shim: it speaks version " + version
                    + " of the task service, Berth 2 and 3");
        }
        if (!protocol.equals("ttrpc")) {
            throw RuntimeFault.unsupported("start shim: it speaks \"" + shown(protocol) + "\", Berth only ttrpc");
        }
        if (!address.startsWith("unix:///")) {
            throw address.matches("[a-z]+://.*")
                    ? RuntimeFault.unsupported("start shim: it answers at " + shown(address)
                            + ", Berth only asks at unix:///PATH")
                    : garbage("\"" + shown(address) + "\" is no address such as unix:///PATH");
        }
        try {
            return new ShimAddress(version, Path.of(address.substring("unix://".length())));
        } catch (InvalidPathException e) {
            throw garbage("its address is no path");
        }
    }

    private static String text(byte[] printed) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(printed)).toString();
        } catch (CharacterCodingException e) {
            throw garbage("what it printed is no text");
        }
    }

    private static String shown(String text) {
        String plain = text.replaceAll("\\p{Cntrl}+", " ");
        return plain.length() <= 100 ? plain : plain.substring(0, 100) + "...";
    }

    private static RuntimeFault garbage(String what) {
        return new RuntimeFault(RuntimeFault.Kind.INTERNAL, "start shim: its answer is no address: " + what);
    }

    /** The name of the task service. */
    String service() {
        return "containerd.task.v" + version + ".Task";
    }
}
