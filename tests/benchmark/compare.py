"""Runs sshexec and its rivals in turn, A B A B, and prints the medians and their ratios."""

import argparse
import getpass
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(os.environ["SSHEXEC_PEERS"])
BENCH = ROOT / "build/release/tests/benchmark"
TOOL = ROOT / "build/release/app/sshexec"
GO = ROOT / "build/peers/goclient"
USER = "sshexec-test"


class Failed(Exception):
    """A client that did not do its work; its figures say nothing."""


def run(command, limit=900, codes=(0,)):
    """The output of a program and the processor seconds that it and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = dict(os.environ, PYTHONWARNINGS="ignore")
    try:
        done = subprocess.run([str(x) for x in command], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=limit)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{command[0]}: no end within {limit} s") from late
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in codes:
        raise Failed(f"{command[0]}: {done.stdout.strip()[-300:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, cpu


def number(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise Failed(f"not understood: {text.strip()[-300:]}")
    return float(found.group(1))


def milliseconds(text):
    """The median latency, as Go and the others print it."""
    found = re.search(r"p50=([\d.]+)(µs|ms|s)", text)
    return float(found.group(1)) * {"µs": 1e-3, "ms": 1, "s": 1e3}[found.group(2)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise Failed("a server did not start")


class Site:
    """The servers, and how each client reaches them."""

    def __init__(self, directory):
        self.directory = directory
        self.processes = []
        self.key = directory / "client_key"
        self.names, self.inventory, self.known_hosts, self.ssh_config = (
            directory / name for name in ("names", "inventory", "known_hosts", "ssh_config"))
        for name in ("host_key", "client_key"):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name])
        self.light = self.start_light()
        self.user = self.prepare_user()
        self.openssh = self.start_openssh()
        self.usual_openssh = self.start_openssh("0.0.0.0", limits="")
        self.far = self.start_proxy(self.light)

    def start(self, command, **options):
        process = subprocess.Popen([str(x) for x in command], **options)
        self.processes.append(process)
        return process

    def start_light(self):
        port = free_port()
        # Rivals open their next channel before the server has counted their last one out.
        self.start([ROOT / "build/peers/goserver", "-addr", f"0.0.0.0:{port}", "-max-sessions",
                    "1000"], stderr=subprocess.DEVNULL)
        wait_for_port(port)
        return port

    def prepare_user(self):
        """A user with a quick login shell, which only root can make."""
        if os.geteuid() != 0:
            return getpass.getuser()
        try:
            pwd.getpwnam(USER)
        except KeyError:
            run(["useradd", "--create-home", "--shell", "/bin/sh", USER])
        run(["usermod", "--password", "*", USER])
        self.directory.chmod(0o755)
        return USER

    def start_openssh(self, address="127.0.0.1", limits="MaxStartups 2000\nMaxSessions 10\n"):
        port = free_port()
        Path("/run/sshd").mkdir(exist_ok=True)
        configuration = self.directory / f"sshd_config_{port}"
        configuration.write_text(
            f"ListenAddress {address}\nPort {port}\nHostKey {self.directory}/host_key\n"
            f"AuthorizedKeysFile {self.directory}/client_key.pub\nPidFile none\nUsePAM no\n"
            f"StrictModes no\nPrintMotd no\n{limits}")
        self.start([shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-f", configuration, "-E",
                    self.directory / "log"])
        wait_for_port(port)
        return port

    def start_proxy(self, port):
        proxy = self.start([BENCH / "delaying_proxy", "--to", port, "--round-trip", ROUND_TRIP],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return int(proxy.stdout.readline())

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def arguments(self, port, mode, **options):
        result = ["--port", port, "--user", self.user, "--key", self.key, "--mode", mode]
        for name, value in options.items():
            result += [f"--{name}", value]
        return result

    def client(self, name, port, mode, **options):
        """One run of a client: its output and its processor time."""
        arguments = self.arguments(port, mode, **options)
        programs = {"sshexec": [BENCH / "bench_sshexec"], "Go": [GO],
                    "asyncssh": ["/usr/bin/python3", PEERS / "bench_asyncssh.py"],
                    "paramiko": ["/usr/bin/python3", PEERS / "bench_paramiko.py"]}
        return run(programs[name] + arguments)

    def control_master(self, count):
        """`ssh` once for each command, over one connection that a first one keeps open."""
        control = self.directory / "control"
        options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o",
                   "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "IdentityAgent=none",
                   "-i", self.key, "-p", self.openssh, "-S", control]
        target = f"{self.user}@127.0.0.1"
        run(["ssh", *options, "-o", "ControlMaster=yes", "-o", "ControlPersist=60", "-fN", target])
        start = time.monotonic()
        for _ in range(count):
            run(["ssh", *options, target, "true"])
        rate = count / (time.monotonic() - start)
        run(["ssh", *options, "-O", "exit", target])
        return rate

    def describe_machines(self, count, port, has_a_server=True):
        """Writes what programs for many machines read: names, an inventory, and how to reach them."""
        machines = [f"127.{1 + i // 50000}.{i // 250 % 200}.{i % 250 + 1}" for i in range(count)]
        self.names.write_text("".join(f"{x}\n" for x in machines))
        self.inventory.write_text("".join(
            f"{x} ansible_port={port} ansible_user={self.user} "
            f"ansible_ssh_private_key_file={self.key}\n" for x in machines))
        if has_a_server:
            scanned = run(["ssh-keyscan", "-t", "ed25519", "-p", port, "127.0.0.1"])[0]
            key = re.search(r"ssh-ed25519 \S+", scanned).group()
            self.known_hosts.write_text(f"* {key}\n")
        self.ssh_config.write_text(
            f"Port {port}\nUser {self.user}\nIdentityFile {self.key}\nIdentityAgent none\n"
            f"UserKnownHostsFile {self.known_hosts}\nStrictHostKeyChecking yes\n")

    def tool_on_all(self, *options):
        return [TOOL, "run", "--inventory", self.inventory, "--known-hosts", self.known_hosts,
                "--host-key-policy", "strict", *options, "@all", "--", "echo ok"]

    def many_machines(self, name, count, port, may_fail=()):
        """The seconds of a program that runs a command on many machines, its own start included.

        All check the host keys and print the outputs, save Go, whose client does neither.
        """
        self.describe_machines(count, port)
        for_ssh = f"-F {self.ssh_config}"
        command = {
            "sshexec": self.tool_on_all(),
            "clush": ["clush", "-f", 50, "-l", self.user, "-o", for_ssh, "--hostfile", self.names,
                      "echo ok"],
            "pdsh": ["env", f"PDSH_SSH_ARGS_APPEND={for_ssh}", "pdsh", "-R", "ssh", "-f", 50, "-l",
                     self.user, "-w", f"^{self.names}", "echo ok"],
            "pssh": ["parallel-ssh", "-p", 50, "-l", self.user, "-x", for_ssh, "-P", "-h",
                     self.names, "echo ok"],
            "Go": [GO, *self.arguments(port, "fanout", m=count, c=50)],
        }[name]
        start = time.monotonic()
        output = run(command, codes=ANY_CODE if name in may_fail else (0,))[0]
        seconds = time.monotonic() - start
        if name == "Go":
            return seconds
        answered = len(re.findall(r"\bok$", output, re.M))
        if answered != count and name not in may_fail:
            raise Failed(f"{name}: not all answered: {output.strip()[-300:]}")
        if answered != count:
            print(f"{name}: {count - answered} of {count} failed", file=sys.stderr)
        return seconds

    def peak_of_tool(self, count, port, *options, code=0):
        """The most memory in KB that the tool held at once for a command on so many machines."""
        self.describe_machines(count, port, has_a_server=port == self.light)
        peak = 0
        command = [str(x) for x in self.tool_on_all("--quiet", *options)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as tool:
            while tool.poll() is None:
                status = Path(f"/proc/{tool.pid}/status").read_text()
                found = re.search(r"VmHWM:\s*(\d+)", status)
                peak = int(found.group(1)) if found else peak
                time.sleep(0.02)
        if tool.returncode != code:
            raise Failed(f"the tool ended with {tool.returncode}")
        return peak

    def plain_ssh(self, command):
        """The seconds of one `ssh` that reads a command's output."""
        options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o",
                   "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "IdentityAgent=none",
                   "-i", self.key, "-p", self.openssh]
        call = ["ssh", *[str(x) for x in options], f"{self.user}@127.0.0.1", command]
        start = time.monotonic()
        subprocess.run(call, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True,
                       timeout=180)
        return time.monotonic() - start


# For a program whose exit code tells how its commands fared.
ANY_CODE = range(256)

ROUND_TRIP = 50
STREAMED = 500_000_000

# How many commands each client is given, so that each takes a second or two on an idle machine.
COUNTS = {"sshexec": 10000, "Go": 10000, "asyncssh": 1000, "paramiko": 50, "ssh": 50}


def count_for(name, site, port):
    return COUNTS[name] if port == site.light else min(COUNTS[name], 400)


def rate_of(site, port, mode, **options):
    def measure(name):
        count = count_for(name, site, port)
        return number(r"([\d.]+)/s", site.client(name, port, mode, n=count, **options)[0])
    return measure


def cpu_of(site, port):
    """Microseconds of the client's processor time for a command, start and connecting excluded."""
    def measure(name):
        count = count_for(name, site, port)
        many = site.client(name, port, "seq", n=count)[1]
        one = site.client(name, port, "seq", n=1)[1]
        return (many - one) / (count - 1) * 1e6
    return measure


def fan_out(site):
    def measure(name):
        who, mode = ("sshexec", "bare-fanout") if name == "bare libssh" else (name, "fanout")
        return number(r"([\d.]+)/s", site.client(who, site.light, mode, m=1000, c=50)[0])
    return measure


def round_trips(site):
    """Median latency of a warm command, in round trips of the network."""
    def measure(name):
        output = site.client(name, site.far, "seq", n=20)[0]
        return milliseconds(output) / ROUND_TRIP
    return measure


class WantedAtOnce:
    """The best rate of a client at any concurrency at which it never failed."""

    def __init__(self, site):
        self.site = site
        self.rates = {}
        self.failed = set()

    def __call__(self, name):
        levels = [100] if name == "sshexec" else [1, 2, 3, 4, 5, 6, 8, 10]
        for level in levels:
            if (name, level) in self.failed:
                continue
            count = count_for(name, self.site, self.site.openssh)
            try:
                output = self.site.client(name, self.site.openssh, "conc", n=count, c=level)[0]
            except Failed:
                if name == "sshexec":
                    raise
                self.failed.add((name, level))
                self.rates.pop((name, level), None)
                continue
            self.rates.setdefault((name, level), []).append(number(r"([\d.]+)/s", output))
        return max(statistics.median(rates) for (who, _), rates in self.rates.items() if who == name)


def streaming(site):
    command = f"head -c {STREAMED} /dev/zero"

    def measure(name):
        if name == "ssh":
            return STREAMED / site.plain_ssh(command) / 1e6
        output = site.client(name, site.openssh, "stream", cmd=command)[0]
        return number(r"([\d.]+)MB/s", output)
    return measure


def growth_of_tool(site):
    """Peak memory in KB for each machine beyond the first thousand, of ten thousand."""
    def measure(_):
        few, many = (site.peak_of_tool(count, site.light) for count in (1000, 10_000))
        return (many - few) / 9000
    return measure


def growth_by_refusals(site):
    """The same, of a hundred thousand machines that refuse, without what the list of them takes."""
    port = free_port()

    def beyond_the_list(count):
        return (site.peak_of_tool(count, port, "--retries", 0, code=3)
                - site.peak_of_tool(count, port, "--dry-run"))

    def measure(_):
        return (beyond_the_list(100_000) - beyond_the_list(1000)) / 99_000
    return measure


def ours(site, pattern, mode, **options):
    def measure(_):
        return number(pattern, site.client("sshexec", site.light, mode, **options)[0])
    return measure


def request_to_wire(_):
    output = run([BENCH / "bench_actors", "--benchmark_format=csv"])[0]
    row = next(x for x in output.splitlines() if x.startswith('"request_to_connection'))
    return float(row.split(",")[2])


class Row:
    """One kind of work: who does it, how it is measured, and what sshexec is to reach.

    A target is a rival with the factor that ours is to be of theirs, or a number by itself.
    """

    def __init__(self, name, what, unit, measure, targets, more_is_better=True, lone_target=None):
        self.name, self.what, self.unit, self.measure = name, what, unit, measure
        self.targets, self.more_is_better, self.lone_target = targets, more_is_better, lone_target
        self.values = {}

    def run(self, rounds):
        for _ in range(rounds):
            for client in ["sshexec", *self.targets]:
                try:
                    self.values.setdefault(client, []).append(self.measure(client))
                except Failed as reason:
                    print(f"{self.name}: {reason}", file=sys.stderr)

    def median(self, client):
        values = self.values.get(client)
        return statistics.median(values) if values else None

    def verdict(self, value, target):
        return "yes" if (value >= target if self.more_is_better else value <= target) else "**no**"

    def shown(self, client):
        """The median, and what it is the median of."""
        values = self.values[client]
        spread = f" ({min(values):.4g}–{max(values):.4g})" if len(values) > 1 else ""
        return f"{self.median(client):.4g} {self.unit}{spread}"

    def lines(self):
        sign = "≥" if self.more_is_better else "≤"
        mine = self.median("sshexec")
        if mine is None:
            yield f"| {self.what} | failed | | | | **no** |"
            return
        shown = self.shown("sshexec")
        if self.lone_target is not None:
            yield (f"| {self.what} | {shown} | | | {sign} {self.lone_target} {self.unit} "
                   f"| {self.verdict(mine, self.lone_target)} |")
        elif not self.targets:
            yield f"| {self.what} | {shown} | | | shown | |"
        for rival, target in self.targets.items():
            theirs = self.median(rival)
            if theirs is None:
                yield f"| {self.what} | {shown} | {rival}: failed | | {sign} {target} × | |"
                continue
            ratio = mine / theirs
            met = self.verdict(ratio, target) if target is not None else ""
            wanted = f"{sign} {target} ×" if target is not None else ""
            yield (f"| {self.what} | {shown} | {rival}: {self.shown(rival)} | {ratio:.2f} | {wanted} "
                   f"| {met} |")


def rows(site):
    light, openssh = site.light, site.openssh
    control_master = {"ssh": lambda: site.control_master(COUNTS["ssh"])}

    def sequential_openssh(name):
        special = control_master.get(name)
        return special() if special else rate_of(site, openssh, "seq")(name)

    return [
        Row("seq-light", "one after another, light server", "/s", rate_of(site, light, "seq"),
            {"Go": 1.0, "asyncssh": 4}),
        Row("seq-openssh", "one after another, OpenSSH", "/s", sequential_openssh,
            {"Go": 1.05, "asyncssh": 1.2, "ssh": 3, "paramiko": None}),
        Row("cpu-light", "client CPU for a command, light server", "µs", cpu_of(site, light),
            {"Go": 0.8, "asyncssh": 0.2}, more_is_better=False),
        Row("cpu-openssh", "client CPU for a command, OpenSSH", "µs", cpu_of(site, openssh),
            {"Go": 0.8, "asyncssh": 0.2}, more_is_better=False),
        Row("at-once", "100 wanted at once, OpenSSH, against each rival's best", "/s",
            WantedAtOnce(site), {"Go": 1.1, "asyncssh": 1.1}),
        Row("conc-light", "10 in flight, light server", "/s", rate_of(site, light, "conc", c=10),
            {"Go": 1.0}),
        Row("round-trips", f"latency through {ROUND_TRIP} ms", "round trips", round_trips(site),
            {"Go": None, "asyncssh": None}, more_is_better=False, lone_target=1.1),
        Row("fanout", "1,000 machines, 50 at a time, light server", "/s", fan_out(site),
            {"Go": 1.0, "asyncssh": 5, "bare libssh": None}),
        *[Row(f"tool-{count}", f"the tool on {count:,} machines, 50 at a time, light server", "s",
              lambda name, count=count: site.many_machines(name, count, light),
              {"Go": 1.0, "clush": 0.1, "pdsh": 0.1, "pssh": 0.1}, more_is_better=False)
          for count in (200, 1000)],
        Row("tool-openssh", "the tool on 200 machines, 50 at a time, one sshd with its defaults", "s",
            lambda name: site.many_machines(name, 200, site.usual_openssh, may_fail=["clush"]),
            {"clush": 1.0}, more_is_better=False),
        Row("tool-memory", "peak memory of the tool for a machine beyond 1,000, of 10,000", "KB",
            growth_of_tool(site), {}, more_is_better=False, lone_target=60),
        Row("tool-refused", "the same for machines that all refuse, of 100,000, beyond their list",
            "KB", growth_by_refusals(site), {}, more_is_better=False, lone_target=0.5),
        Row("stream", "500 MB of stdout, OpenSSH", "MB/s", streaming(site), {"ssh": 1.0}),
        Row("memory", "memory of an idle machine, of 10,000", "KB",
            ours(site, r"([\d.]+)KB/machine", "memory", m=10000, c=50), {}, more_is_better=False,
            lone_target=48),
        Row("idle", "wake-ups of 1,000 idle machines between keep-alives", "/s",
            ours(site, r"switches=([\d.]+)/s", "idle", m=1000, c=50, keepalive=3600), {},
            more_is_better=False, lone_target=0),
        Row("idle-keepalive", "wake-ups of 1,000 idle machines, keep-alives every 10 s", "/s",
            ours(site, r"switches=([\d.]+)/s", "idle", m=1000, c=50), {}, more_is_better=False),
        Row("wire", "from the request to the connection, warm", "µs", request_to_wire, {},
            more_is_better=False),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--row", action="append", help="only this row; may be given several times")
    parser.add_argument("--scale", type=float, default=1, help="times the usual number of commands")
    parser.add_argument("--list", action="store_true", help="the names of the rows")
    wanted = parser.parse_args()
    # A run that is broken off takes its servers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for name, count in COUNTS.items():
        COUNTS[name] = max(10, round(count * wanted.scale))
    print("load average:", *os.getloadavg(), file=sys.stderr)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory))
        try:
            table = rows(site)
            unknown = set(wanted.row or []) - {row.name for row in table}
            if unknown:
                parser.error(f"no such row: {', '.join(sorted(unknown))}")
            if wanted.list:
                print("\n".join(row.name for row in table))
                return
            print("| work | sshexec | rival | ratio | target | met |\n|---|---|---|---|---|---|")
            for row in table:
                if not wanted.row or row.name in wanted.row:
                    row.run(wanted.rounds)
                    print("\n".join(row.lines()), flush=True)
        finally:
            site.stop()
    print("load average:", *os.getloadavg(), file=sys.stderr)


main()
