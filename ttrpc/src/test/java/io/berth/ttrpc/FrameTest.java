package io.berth.ttrpc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.io.ByteArrayInputStream;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against bytes that containerd's own ttrpc, version 1.2, has sent and received. */
class FrameTest {

    private static final String REGISTER = "000000440000000101000a1c6e72692e706b672e6170692e7631616c706861312e52756e74696d65"
            + "120e5265676973746572506c7567696e1a140a0570726f6265120231301a0776302e31322e31";
    private static final String REGISTERED = "00000000000000010200";
    private static final String REFUSED = "000000130000000302000a110803120d6e6f207375636820696e646578";

    private static Frame frame(String hex) {
        return Frame.read(new ByteArrayInputStream(HexFormat.of().parseHex(hex))).orElseThrow();
    }

    @Test
    void aRequestOfTheGoClientIsReadAndWrittenTheSame() {
        Frame frame = frame(REGISTER);
        assertEquals(1, frame.stream());
        assertEquals(Frame.Type.REQUEST, frame.type());
        Request request = Request.parse(frame.data());
        assertEquals("nri.pkg.api.v1alpha1.Runtime", request.service());
        assertEquals("RegisterPlugin", request.method());
        assertEquals(ByteString.fromHex("0a0570726f6265120231301a0776302e31322e31"), request.payload());
        assertEquals(0, request.timeoutNanos());
        byte[] written = new Frame(1, Frame.Type.REQUEST, 0, request.bytes()).bytes();
        assertArrayEquals(HexFormat.of().parseHex(REGISTER), written);
    }

    @Test
    void anEmptyAnswerOfTheGoServerIsSuccess() {
        Response response = Response.parse(frame(REGISTERED).data());
        assertEquals(Response.of(ByteString.EMPTY), response);
        assertArrayEquals(HexFormat.of().parseHex(REGISTERED), new Frame(1, Frame.Type.RESPONSE, 0, response.bytes()).bytes());
    }

    @Test
    void anErrorOfTheGoServerHasItsCodeAndMessage() {
        Frame frame = frame(REFUSED);
        Response response = Response.parse(frame.data());
        assertEquals(3, response.code());
        assertEquals("no such index", response.message());
        assertArrayEquals(HexFormat.of().parseHex(REFUSED),
                new Frame(frame.stream(), Frame.Type.RESPONSE, 0, response.bytes()).bytes());
    }

    @Test
    void anEndBetweenFramesIsAnEnd() {
        assertTrue(Frame.read(new ByteArrayInputStream(new byte[0])).isEmpty());
    }

    @ParameterizedTest
    @CsvSource({
        "0000, ended after 2 bytes",
        "00400001000000010100, it has 4194305 bytes",
        "ffffffff000000010100, it has 4294967295 bytes",
        "00000000000000010400, its type is 4",
        "00000000000000010000, its type is 0",
        "00000000000000018100, its type is -127",
        "0000000a00000001020001, ended after 1 of 10 bytes",
    })
    void whatIsNoFrameEndsTheConnection(String hex, String words) {
        CallFault fault = assertThrows(CallFault.class, () -> frame(hex));
        assertEquals(CallFault.Origin.CONNECTION, fault.origin());
        assertTrue(fault.getMessage().contains(words), fault.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"0a", "0aff", "1aff01", "0a02", "ffffffffffffffffffff01", "0a01ff"})
    void dataThatIsNoRequestEndsTheConnection(String hex) {
        assertEquals(CallFault.Origin.CONNECTION,
                assertThrows(CallFault.class, () -> Request.parse(HexFormat.of().parseHex(hex))).origin());
    }

    @ParameterizedTest
    @CsvSource({"0a", "0aff", "0a0108", "12ff01"})
    void dataThatIsNoResponseEndsTheConnection(String hex) {
        assertEquals(CallFault.Origin.CONNECTION,
                assertThrows(CallFault.class, () -> Response.parse(HexFormat.of().parseHex(hex))).origin());
    }
}
