#!/bin/bash
# Runs inside a virtual machine with a real systemd, started by test.sh beside it: what the unit and the package promise.
# /check has the packages old.deb and new.deb, the archive image.tar, and perhaps a kubelet.
. /check/checkpoint.sh
exec > >(tee /dev/ttyS0 /check/results) 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive
passed=0
failed=0

# $1: what, then a command that must succeed.
check() {
    local what=$1
    shift
    if "$@" > /check/last 2>&1; then
        passed=$((passed + 1))
        echo "passed: $what (at $SECONDS s)"
    else
        failed=$((failed + 1))
        echo "FAILED: $what (at $SECONDS s)"
        head -c 2000 /check/last
    fi
}

property() { systemctl show -p "$1" --value berth; }
lives() { grep -aqs 100000 "/proc/$process/cmdline"; }
runs() { timeout 60 berth ps | grep keep | grep -q Running; }
answers() { timeout 60 berth exec keep echo here | grep -q here; }
another() { [ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$daemon" ]; }

await() {
    local second
    for second in $(seq "$1"); do
        ! "${@:2}" || return 0
        sleep 1
    done
    return 1
}

# $1: what happened to the daemon. The container must not have noticed.
check_container() {
    check "$1: the container lives" lives
    check "$1: it is found running" runs
    check "$1: it takes a command" answers
}

ip link set lo up
check "install with systemd running" dpkg -i /check/old.deb
check "installed: enabled" systemctl is-enabled berth
check "installed: it has told that it is ready" test "$(property Type)/$(property SubState)" = notify/running
cat > /etc/berth/config.toml << END
[runtime]
network = "builtin"
enable_criu_support = true
enable_checkpoint_images = true
[runtime.runtimes.crun]
options.SystemdCgroup = true
# This crun knows no checkpoints.
[runtime.runtimes.runc]
options.SystemdCgroup = true
[runtime.runtimes.cgroupfs]
runtime_path = "/usr/sbin/runc"
END
check "restart with another configuration" systemctl restart berth
check "the doctor finds no problem" berth doctor
cat /check/last
check "import an image" timeout 120 berth image import /check/image.tar
image=docker.io/library/busybox:check
check "run a container" timeout 180 berth run -d --name keep "$image" sleep 100000
process=$(pgrep -f '^sleep 100000' | head -1)
check "its cgroup is systemd's, not the service's" grep -q '/berth\|\.slice' "/proc/$process/cgroup"
check "the service has only the daemon as a cgroup member that it would end" grep -q berth.service "/proc/$(property MainPID)/cgroup"

daemon=$(property MainPID)
check "systemctl restart" systemctl restart berth
check "restart: another daemon" another
check_container restart

check "run a job" timeout 180 berth run -d --name job "$image" sh -c 'sleep 15; exit 7'
check "systemctl stop" systemctl stop berth
check "stop: it ended well" test "$(property ActiveState)/$(property Result)" = inactive/success
check "stop: the container lives" lives
check "stop: its monitor lives" pgrep conmon
sleep 20
daemon=0
check "systemctl start" systemctl start berth
check_container start
check "start: the exit code of a job that ended meanwhile" sh -c "timeout 60 berth inspect job | grep -Eq '\"?exitCode\"? ?: 7'"

daemon=$(property MainPID)
kill -9 "$daemon"
check "kill -9: it comes back by itself" await 90 another
check_container "kill -9"

mkdir -p /etc/systemd/system/berth.service.d
printf '[Service]\nWatchdogSec=30\n' > /etc/systemd/system/berth.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart berth
daemon=$(property MainPID)
sleep 75
check "a healthy daemon is left alone by a watchdog of 30 s" test "$(property MainPID)" = "$daemon"
kill -STOP "$daemon"
check "a daemon that hangs is ended by the watchdog, and another one comes" await 180 another
check "hang: the journal says why" sh -c 'journalctl -u berth --no-pager | grep -qi "watchdog timeout"'
check_container hang
rm -r /etc/systemd/system/berth.service.d
systemctl daemon-reload

cgroups_before=$(cgroups)
check_checkpoint runc
check_checkpoint cgroupfs
check "checkpoint: nothing is left" nothing_of_containers

daemon=$(property MainPID)
check "upgrade" dpkg -i --force-confold /check/new.deb
check "upgrade: another daemon" another
check_container upgrade
check "upgrade: the configuration is kept" grep -q builtin /etc/berth/config.toml

check "remove the package" dpkg -r berth
check "remove: the container lives" lives
check "install again" dpkg -i --force-confold /check/new.deb
check_container "install again"
check "rm -f" timeout 180 berth rm -f keep job
# Last, because a kubelet removes the pods that it does not know.
if [ -x /check/kubelet ]; then
    card=$(ls /sys/class/net | grep -vE '^(lo|berth|veth)' | head -1)
    ip address add 10.0.2.15/24 dev "$card"
    ip link set "$card" up
    ip route add default via 10.0.2.2
    static_pod web "$image" '    command: [sleep, "99999"]'
    /check/kubelet --config /check/kubelet.yaml > /check/kubelet.log 2>&1 &
    kubelet=$!
    check "kubelet: a static pod runs" await 180 sh -c 'timeout 60 berth ps | grep web | grep -q Running'
    check "kubelet: its pod is in the kubelet's slice" sh -c 'grep -q kubepods /proc/$(pgrep -f "^sleep 99999")/cgroup'
    systemctl restart berth
    rm /etc/kubernetes/manifests/web.yaml
    check "kubelet: the pod goes with its manifest" await 180 sh -c '! pgrep -f "^sleep 99999"'
    # The handler of a pod that names none.
    sed -i 's/^enable_criu_support/default_runtime_name = "runc"\n&/' /etc/berth/config.toml
    systemctl restart berth
    check_kubelet_checkpoint
    # Its process ends first; a kubelet that is ended now would leave the rest of the pod, which purge spares.
    check "kubelet: the pod is stopped" await 180 sh -c 'timeout 60 berth pods > /check/pods && ! grep -q " Ready" /check/pods'
    kill "$kubelet"
    wait "$kubelet"
    check "kubelet: what it has not removed yet goes" timeout 180 berth rm --stopped
    grep '^E' /check/kubelet.log | cut -c1-240 | tail -5
fi

check "purge" dpkg -P berth
check "purge: nothing is left" sh -c '! [ -e /var/lib/berth ] && ! [ -e /etc/berth ] && ! pgrep conmon'
echo "$passed passed, $failed failed: with systemd"
[ $failed = 0 ] || journalctl --no-pager -u berth | tail -60
sync
