package io.berth.ttrpc;

import io.berth.base.RuntimeFault.Kind;

/** The numbers of status codes on the wire. Source: google/rpc/code.proto. */
final class StatusCodes {

    static final int UNKNOWN = 2;
    static final int DEADLINE_EXCEEDED = 4;
    static final int UNIMPLEMENTED = 12;
    static final int UNAVAILABLE = 14;

    private StatusCodes() {}

    static Kind kind(int code) {
        return switch (code) {
            case 1 -> Kind.CANCELLED;
            case 3 -> Kind.INVALID_ARGUMENT;
            case 4 -> Kind.DEADLINE_EXCEEDED;
            case 5 -> Kind.NOT_FOUND;
            case 6 -> Kind.ALREADY_EXISTS;
            case 7 -> Kind.PERMISSION_DENIED;
            case 8 -> Kind.RESOURCE_EXHAUSTED;
            case 9 -> Kind.FAILED_PRECONDITION;
            case 10 -> Kind.ABORTED;
            case 12 -> Kind.UNSUPPORTED;
            case 14 -> Kind.UNAVAILABLE;
            case 15 -> Kind.DATA_LOSS;
            case 16 -> Kind.UNAUTHENTICATED;
            default -> Kind.INTERNAL;
        };
    }

    static int code(Kind kind) {
        return switch (kind) {
            case CANCELLED -> 1;
            case INVALID_ARGUMENT -> 3;
            case DEADLINE_EXCEEDED -> 4;
            case NOT_FOUND -> 5;
            case ALREADY_EXISTS -> 6;
            case PERMISSION_DENIED -> 7;
            case RESOURCE_EXHAUSTED -> 8;
            case FAILED_PRECONDITION -> 9;
            case ABORTED -> 10;
            case UNSUPPORTED -> 12;
            case INTERNAL -> 13;
            case UNAVAILABLE -> 14;
            case DATA_LOSS -> 15;
            case UNAUTHENTICATED -> 16;
        };
    }
}
