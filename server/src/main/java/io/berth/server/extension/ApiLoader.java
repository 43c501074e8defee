package io.berth.server.extension;

/**
 * The parent of every extension's class loader: the JDK and the API, nothing of Berth and none of its libraries. So an
 * extension brings its own libraries in whatever version.
 */
final class ApiLoader extends ClassLoader {

    private static final String API = "io.berth.extension.";

    ApiLoader() {
        super("berth extension API", ClassLoader.getPlatformClassLoader());
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        // The very classes that Berth itself works with, not another copy of them.
        if (name.startsWith(API) && name.indexOf('.', API.length()) < 0) {
            return ApiLoader.class.getClassLoader().loadClass(name);
        }
        throw new ClassNotFoundException(name);
    }
}
