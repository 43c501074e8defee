# Finds a Java 25 or newer. Sourced; needs say.sh.

JAVA_LEAST=25

# The major version of the Java in directory $1, 0 when there is none. The file "release" answers without starting it.
java_major() {
    local version="" line
    [ -x "$1/bin/java" ] || { echo 0; return; }
    if [ -r "$1/release" ]; then
        # By the shell itself: every process here is a part of each start.
        while read -r line; do
            [[ $line =~ ^JAVA_VERSION=\"([0-9]+) ]] && version=${BASH_REMATCH[1]}
        done < "$1/release"
    else
        version=$("$1/bin/java" -version 2>&1 | sed -n '1s/.*"\([0-9]*\).*/\1/p')
    fi
    echo "${version:-0}"
}

java_candidates() {
    local on_path
    [ -z "${JAVA_HOME:-}" ] || echo "$JAVA_HOME"
    on_path=$(command -v java || true)
    if [ -n "$on_path" ]; then
        on_path=$(readlink -f "$on_path")
        echo "${on_path%/*/*}"
    fi
    # A JDK before a JRE: the build needs a compiler.
    local home
    for home in /usr/lib/jvm/* /opt/java/* /opt/jdk* /opt/*jdk*; do
        [ ! -x "$home/bin/javac" ] || echo "$home"
    done
    for home in /usr/lib/jvm/*; do
        [ -x "$home/bin/javac" ] || echo "$home"
    done
}

# Sets JAVA_HOME and JAVA.
find_java() {
    local home found=""
    if [ -n "${BERTH_JAVA_HOME:-}" ]; then
        [ "$(java_major "$BERTH_JAVA_HOME")" -ge "$JAVA_LEAST" ] \
            || die "BERTH_JAVA_HOME=$BERTH_JAVA_HOME is not a Java $JAVA_LEAST or newer"
        found=$BERTH_JAVA_HOME
    else
        while read -r home; do
            if [ "$(java_major "$home")" -ge "$JAVA_LEAST" ]; then
                found=$home
                break
            fi
        done < <(java_candidates)
    fi
    [ -n "$found" ] || die "no Java $JAVA_LEAST or newer found in JAVA_HOME, PATH, /usr/lib/jvm or /opt. Debian 12 does not have
  one: install the package temurin-25-jdk (https://adoptium.net/installation/linux/), or unpack any JDK 25 and set
  BERTH_JAVA_HOME to its directory"
    export JAVA_HOME=$found
    JAVA=$found/bin/java
}

require_compiler() {
    [ -x "$JAVA_HOME/bin/javac" ] \
        || die "building needs a JDK, and $JAVA_HOME has no compiler: install temurin-25-jdk or set BERTH_JAVA_HOME"
}
