package io.berth.server;

/**
 * Bounds of the JDK's HTTP server, which serves metrics and the console. It reads them once, before the first server is made;
 * on the command line of the Java machine they may be set otherwise.
 */
final class HttpLimits {

    private HttpLimits() {}

    static void set() {
        // Whoever connects and says nothing: loopback is open to every user of the node.
        setUnlessSet("sun.net.httpserver.maxReqTime", "10");
        setUnlessSet("jdk.httpserver.maxConnections", "128");
        setUnlessSet("sun.net.httpserver.maxReqHeaders", "64");
    }

    private static void setUnlessSet(String name, String value) {
        if (System.getProperty(name) == null) {
            System.setProperty(name, value);
        }
    }
}
