# Words to the person at the terminal. Sourced.

say() {
    echo "berth: $*" >&2
}

die() {
    say "$*"
    exit 1
}
