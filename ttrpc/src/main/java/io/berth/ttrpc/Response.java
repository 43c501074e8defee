package io.berth.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/**
 * The data of a response frame.
 *
 * @param code 0 for success
 */
record Response(int code, String message, ByteString payload) {

    private static final int STATUS = 1;
    private static final int PAYLOAD = 2;
    private static final int STATUS_CODE = 1;
    private static final int STATUS_MESSAGE = 2;

    static Response of(ByteString payload) {
        return new Response(0, "", payload);
    }

    byte[] bytes() {
        var bytes = new ByteArrayOutputStream(payload.size() + message.length() + 32);
        var out = CodedOutputStream.newInstance(bytes);
        try {
            if (code != 0) {
                out.writeByteArray(STATUS, status());
            }
            if (!payload.isEmpty()) {
                out.writeBytes(PAYLOAD, payload);
            }
            out.flush();
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException("memory does not fail", e);
        }
    }

    private byte[] status() throws IOException {
        var bytes = new ByteArrayOutputStream(message.length() + 16);
        var out = CodedOutputStream.newInstance(bytes);
        out.writeInt32(STATUS_CODE, code);
        out.writeString(STATUS_MESSAGE, message);
        out.flush();
        return bytes.toByteArray();
    }

    static Response parse(byte[] data) {
        Response response = of(ByteString.EMPTY);
        CodedInputStream in = CodedInputStream.newInstance(data);
        try {
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                switch (WireFormat.getTagFieldNumber(tag)) {
                    case STATUS -> response = response.withStatus(in.readByteArray());
                    case PAYLOAD -> response = new Response(response.code, response.message, in.readBytes());
                    default -> in.skipField(tag);
                }
            }
            return response;
        } catch (IOException e) {
            throw CallFault.connection("read response: its data is no response", e);
        }
    }

    private Response withStatus(byte[] data) throws IOException {
        int newCode = 0;
        String text = "";
        CodedInputStream in = CodedInputStream.newInstance(data);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case STATUS_CODE -> newCode = in.readInt32();
                case STATUS_MESSAGE -> text = in.readString();
                default -> in.skipField(tag);
            }
        }
        return new Response(newCode, text, payload);
    }
}
