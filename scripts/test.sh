# berth test: runs kinds of tests over all modules and sums up what ran. Sourced; needs say.sh, java.sh, packages.sh.

TEST_KINDS="unit root conformance fault load"

test_usage() {
    cat << END
Usage: berth test [KIND...]
  unit         tests that need no root, all within a minute or two
  root         tests with real namespaces, mounts, networks, runtimes and registries; needs root
  conformance  the test suites of the Container Runtime Interface; needs root
  fault        failpoints and kill -9 at every step; needs root
  load         many pods at once; needs root
  all          all of these, which is also what runs without a word
Not among these: berth package --test, which installs and removes the packages in a clean Debian root; it takes five
minutes or more, and a Debian mirror.
Installs what is missing (as root, by apt) and ends with the line "N passed, N failed, N skipped".
END
}

# The classes of kind $1, as find's pattern.
test_classes() {
    case "$1" in
        unit) echo '*Test.java' ;;
        root) echo '*IT.java' ;;
        conformance) echo '*ConformanceIT.java' ;;
        fault) echo '*FaultIT.java' ;;
        load) echo '*LoadIT.java' ;;
    esac
}

# As surefire's pattern: *IT also fits the names of the last three kinds, so these are taken out unless they are wanted.
test_pattern() {
    local kind patterns=() root=no
    for kind in "$@"; do
        patterns+=("**/$(test_classes "$kind")")
        [ "$kind" != root ] || root=yes
    done
    if [ $root = yes ]; then
        for kind in conformance fault load; do
            [[ " $* " == *" $kind "* ]] || patterns+=("!**/$(test_classes "$kind")")
        done
    fi
    local IFS=,
    echo "${patterns[*]}"
}

has_tests() {
    local not=()
    [ "$1" != root ] || not=(! -name '*ConformanceIT.java' ! -name '*FaultIT.java' ! -name '*LoadIT.java')
    [ -n "$(find "$BERTH_HOME"/*/src/test -name "$(test_classes "$1")" ${not[@]+"${not[@]}"} -print -quit 2> /dev/null)" ]
}

chosen_kinds() {
    local kind
    for kind in "$@"; do
        case "$kind" in
            all) echo "$TEST_KINDS" ;;
            unit | root | conformance | fault | load) echo "$kind" ;;
            *)
                test_usage >&2
                die "there is no kind of tests \"$kind\""
                ;;
        esac
    done
}

run_tests() {
    case " $* " in *" -h "* | *" --help "*) test_usage; return ;; esac
    local wanted kind kinds=() code=0
    wanted=$(chosen_kinds "${@:-all}") || exit 2
    find_java
    require_compiler
    for kind in $TEST_KINDS; do
        [[ " ${wanted//$'\n'/ } " == *" $kind "* ]] || continue
        if has_tests "$kind"; then
            kinds+=("$kind")
        else
            say "$kind: there are no tests of this kind yet"
        fi
    done
    install_for_unit_tests
    if [[ "${kinds[*]-}" =~ root|conformance|fault|load ]]; then
        require_root "berth test ${kinds[*]}"
        install_for_root_tests
    fi
    rm -rf "$BERTH_HOME"/*/target/surefire-reports
    if [ ${#kinds[@]} -gt 0 ]; then
        say "running tests: ${kinds[*]}"
        # A module whose tests fail does not keep those that build on it from being tested.
        (cd "$BERTH_HOME" && MAVEN_OPTS="${MAVEN_OPTS:-} $MAVEN_QUIET" mvn -B -ntp -Dstyle.color=never -fae test \
            -Dmaven.test.failure.ignore=true -Dtest.pattern="$(test_pattern "${kinds[@]}")" \
            | grep --line-buffered -E '^\[(INFO|ERROR|WARNING)\] (Building Berth|Tests run:.*(Time elapsed|FAIL)|BUILD FAILURE)|^\[ERROR\]' \
            | sed -u -E 's/^\[INFO\] //') || code=$?
    fi
    "$JAVA" "$BERTH_HOME/it/src/main/java/io/berth/it/TestSummary.java" "$BERTH_HOME" "$code"
}
