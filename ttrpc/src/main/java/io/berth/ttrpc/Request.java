package io.berth.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/**
 * The data of a request frame.
 *
 * @param timeoutNanos how long the client waits; 0 when it does not say
 */
record Request(String service, String method, ByteString payload, long timeoutNanos) {

    private static final int SERVICE = 1;
    private static final int METHOD = 2;
    private static final int PAYLOAD = 3;
    private static final int TIMEOUT = 4;

    byte[] bytes() {
        var bytes = new ByteArrayOutputStream(payload.size() + 128);
        var out = CodedOutputStream.newInstance(bytes);
        try {
            out.writeString(SERVICE, service);
            out.writeString(METHOD, method);
            if (!payload.isEmpty()) {
                out.writeBytes(PAYLOAD, payload);
            }
            if (timeoutNanos != 0) {
                out.writeInt64(TIMEOUT, timeoutNanos);
            }
            out.flush();
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException("memory does not fail", e);
        }
    }

    static Request parse(byte[] data) {
        String service = "";
        String method = "";
        ByteString payload = ByteString.EMPTY;
        long timeout = 0;
        CodedInputStream in = CodedInputStream.newInstance(data);
        try {
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                switch (WireFormat.getTagFieldNumber(tag)) {
                    case SERVICE -> service = in.readStringRequireUtf8();
                    case METHOD -> method = in.readStringRequireUtf8();
                    case PAYLOAD -> payload = in.readBytes();
                    case TIMEOUT -> timeout = in.readInt64();
                    default -> in.skipField(tag);
                }
            }
        } catch (IOException e) {
            throw CallFault.connection("read request: its data is no request", e);
        }
        return new Request(service, method, payload, timeout);
    }
}
