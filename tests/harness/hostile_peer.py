"""An SSH server whose channels keep no rules; hostile_peer.hpp tells what it is for.

Arguments: the address to listen on, the public key to let in. Prints its port when it listens, and
ends when nobody reads its output any more.
"""

import asyncio
import logging
import sys

import asyncssh
from asyncssh.constants import *
from asyncssh.packet import Boolean, Byte, SSHPacketHandler, String, UInt32

ANY_WINDOW = 1 << 21
ANY_PACKET = 1 << 15

COMMANDS = {}
OPENINGS = {}


def command(function):
    COMMANDS[function.__name__.replace("_", "-")] = function
    return function


def opening(function):
    OPENINGS[function.__name__.replace("_", "-")] = function
    return function


class Connection(asyncssh.SSHServerConnection):
    """Key exchange and authentication are asyncssh's, channels are ours."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.outgoing = b""
        self.new_keys = asyncio.Event()
        self.openings = []
        self.refused = asyncio.Event()
        self.unimplemented = False

    def _send(self, data):
        """What is sent without waiting in between goes out in one piece."""
        if not self.outgoing:
            asyncio.get_running_loop().call_soon(self.flush)
        self.outgoing += data

    def flush(self):
        if self._transport:
            self._transport.write(self.outgoing)
        self.outgoing = b""

    def send_raw(self, data):
        """Past encryption."""
        self._send(data)

    def stop_reading(self):
        self._transport.pause_reading()

    async def round_trip(self):
        """Once it has answered, the client has read all that was sent before."""
        return await self.global_request(b"keepalive@openssh.com")

    async def global_request(self, name):
        kind, _ = await self._make_global_request(name)
        return kind

    async def exchange_keys(self):
        self.new_keys.clear()
        self._send_kexinit()
        self._kexinit_sent = True
        await self.new_keys.wait()

    def _process_newkeys(self, *arguments):
        super()._packet_handlers[MSG_NEWKEYS](self, *arguments)
        self.new_keys.set()

    def _process_channel_open(self, _kind, _number, packet):
        packet.get_string()
        channel = Channel(self, packet.get_uint32(), packet.get_uint32())
        name, *arguments = self.openings.pop(0).split(":") if self.openings else ["confirm"]
        OPENINGS[name](channel, *arguments)

    def _process_unimplemented(self, *_):
        self.unimplemented = True

    _packet_handlers = {
        **asyncssh.SSHServerConnection._packet_handlers,
        MSG_UNIMPLEMENTED: _process_unimplemented,
        MSG_NEWKEYS: _process_newkeys,
        MSG_CHANNEL_OPEN: _process_channel_open,
    }


class Channel(SSHPacketHandler):
    """A session channel, on which anything can be sent at any time."""

    logger = asyncssh.logging.logger

    def __init__(self, connection, remote, window):
        self.connection = connection
        self.remote = remote
        self.local = connection.add_channel(self)
        self.window = window
        self.slow = False
        self.task = None
        self.answers = asyncio.Queue()
        self.stdin = asyncio.Queue()

    def process_packet(self, kind, _number, packet):
        if kind == MSG_CHANNEL_WINDOW_ADJUST:
            self.window += packet.get_uint32()
        elif kind in (MSG_CHANNEL_SUCCESS, MSG_CHANNEL_FAILURE):
            self.answers.put_nowait(kind)
        elif kind == MSG_CHANNEL_DATA:
            self.stdin.put_nowait(packet.get_string())
        elif kind == MSG_CHANNEL_EOF:
            self.stdin.put_nowait(b"")
        elif kind == MSG_CHANNEL_REQUEST:
            name, wants_reply = packet.get_string(), packet.get_boolean()
            if name == b"exec":
                self.task = asyncio.create_task(self.execute(packet.get_string().decode()))
            elif wants_reply:
                self.connection.send_packet(MSG_CHANNEL_FAILURE, UInt32(self.remote))
        return True

    def process_open_failure(self, *_):
        self.answers.put_nowait(MSG_CHANNEL_OPEN_FAILURE)

    def process_connection_close(self, _error):
        if self.task:
            self.task.cancel()

    def close(self):
        """Asked for by asyncssh when a connection ends; it gets no last word on our channels."""

    async def execute(self, line):
        words = line.split()
        self.slow = words[0] == "slowly"
        name, *arguments = words[1:] if self.slow else words
        if name not in COMMANDS:
            return await self.send(MSG_CHANNEL_FAILURE)
        await COMMANDS[name](self, *arguments)

    async def send(self, kind, *fields):
        self.connection.send_packet(kind, UInt32(self.remote), *fields)
        if self.slow:
            await self.connection.round_trip()

    async def start(self):
        await self.send(MSG_CHANNEL_SUCCESS)

    async def out(self, data):
        await self.send(MSG_CHANNEL_DATA, String(data))

    async def err(self, data):
        await self.send(MSG_CHANNEL_EXTENDED_DATA, UInt32(EXTENDED_DATA_STDERR), String(data))

    async def request(self, name, *fields, wants_reply=False):
        await self.send(MSG_CHANNEL_REQUEST, String(name), Boolean(wants_reply), *fields)

    async def exit_status(self, value):
        await self.request("exit-status", UInt32(value))

    async def exit_signal(self, name):
        await self.request("exit-signal", String(name), Boolean(False), String(""), String(""))

    async def eof(self):
        await self.send(MSG_CHANNEL_EOF)

    async def end(self):
        await self.send(MSG_CHANNEL_CLOSE)

    async def finish(self, status=0):
        await self.exit_status(status)
        await self.eof()
        await self.end()


# How a channel is opened.


@opening
def confirm(channel, window=ANY_WINDOW, packet=ANY_PACKET):
    channel.connection.send_channel_open_confirmation(
        channel.remote, channel.local, int(window), int(packet)
    )


@opening
def confirm_twice(channel):
    confirm(channel)
    confirm(channel)


@opening
def confirm_and_refuse(channel):
    confirm(channel)
    refuse(channel, 1)


@opening
def confirm_and_close(channel):
    confirm(channel)
    channel.connection.send_packet(MSG_CHANNEL_CLOSE, UInt32(channel.remote))


@opening
def hang_up(channel):
    channel.connection.abort()


@opening
def refuse(channel, reason):
    channel.connection.send_channel_open_failure(channel.remote, int(reason), "as told", "")
    channel.connection.refused.set()


# Commands: what the peer does in answer to an exec request.


@command
async def openings(channel, *openings):
    """What becomes of the next channels on this connection."""
    channel.connection.openings += openings
    await channel.start()
    await channel.finish()


@command
async def until_refusal(channel):
    """Ends when another channel was refused."""
    await channel.start()
    await channel.connection.refused.wait()
    await channel.finish()


@command
async def say(channel, text):
    await channel.start()
    await channel.out(text)
    await channel.finish()


@command
async def data_past_window(channel, excess):
    await channel.start()
    size = channel.window + int(excess)
    for start in range(0, size, ANY_PACKET):
        await channel.out(b"x" * min(size - start, ANY_PACKET))
    await channel.err(str(size))
    await channel.finish()


@command
async def data_after_eof(channel):
    await channel.start()
    await channel.out("before")
    await channel.eof()
    await channel.out("after")
    await channel.err("after")
    await channel.exit_status(0)
    await channel.end()


@command
async def data_after_close(channel):
    await channel.start()
    await channel.out("before")
    await channel.finish()
    await channel.out("after")
    await channel.err("after")


@command
async def second_eof(channel):
    await channel.start()
    await channel.eof()
    await channel.finish()


@command
async def second_close(channel):
    await channel.start()
    await channel.finish()
    await channel.end()


@command
async def request_after_close(channel):
    await channel.start()
    await channel.finish(3)
    await channel.exit_status(4)
    await channel.exit_signal("KILL")
    await channel.request("nonsense@example.org", wants_reply=True)


@command
async def exit_status_after_close(channel):
    await channel.start()
    await channel.eof()
    await channel.end()
    await channel.exit_status(0)


@command
async def second_exit_status(channel):
    await channel.start()
    await channel.exit_status(3)
    await channel.exit_status(4)
    await channel.exit_signal("KILL")
    await channel.eof()
    await channel.end()


@command
async def exit_status_before_output(channel):
    await channel.start()
    await channel.exit_status(3)
    await channel.out("late")
    await channel.eof()
    await channel.end()


@command
async def malformed_exit_status(channel):
    await channel.start()
    await channel.request("exit-status", b"\0\0")
    await channel.eof()
    await channel.end()


@command
async def exit_signal(channel, name):
    await channel.start()
    await channel.exit_signal(name)
    await channel.eof()
    await channel.end()


@command
async def unprintable_exit_signal(channel):
    await exit_signal(channel, b"\xff\n\x1b[31m")


@command
async def nameless_exit_signal(channel):
    await exit_signal(channel, "")


@command
async def malformed_exit_signal(channel):
    await channel.start()
    await channel.request("exit-signal", UInt32(1000), b"KILL")
    await channel.eof()
    await channel.end()


@command
async def close_without_outcome(channel):
    await channel.start()
    await channel.out("partial")
    await channel.end()


@command
async def close_for_answer(channel):
    await channel.end()


@command
async def output_before_answer(channel):
    await channel.out("early")
    await channel.start()
    await channel.finish()


@command
async def second_answer(channel, kind):
    await channel.start()
    await channel.send({"success": MSG_CHANNEL_SUCCESS, "failure": MSG_CHANNEL_FAILURE}[kind])
    await channel.finish()


@command
async def outcome_of_refused(channel):
    await channel.send(MSG_CHANNEL_FAILURE)
    await channel.out("nothing")
    await channel.finish()


@command
async def disconnect(channel, reason):
    await channel.start()
    await channel.out("partial")
    channel.connection.send_packet(MSG_DISCONNECT, UInt32(int(reason)), String("bye"), String(""))


@command
async def rekey(channel, times):
    await channel.start()
    await channel.out("before ")
    for _ in range(int(times)):
        await channel.connection.exchange_keys()
        await channel.out("after ")
    await channel.finish()


@command
async def global_request(channel, name):
    await channel.start()
    await channel.out(str(await channel.connection.global_request(name.encode())))
    await channel.finish()


@command
async def channel_request(channel, name, *fields):
    await channel.start()
    await channel.request(name, *map(String, fields), wants_reply=True)
    await channel.out(str(await channel.answers.get()))
    await channel.finish()


@command
async def open_channel(channel, kind):
    await channel.start()
    other = Channel(channel.connection, 0, 0)
    channel.connection.send_packet(
        MSG_CHANNEL_OPEN, String(kind), UInt32(other.local), UInt32(ANY_WINDOW), UInt32(ANY_PACKET)
    )
    await channel.out(str(await other.answers.get()))
    await channel.finish()


@command
async def unknown_message(channel, number):
    await channel.start()
    channel.connection.send_packet(int(number), b"whatever")
    await channel.connection.round_trip()
    await channel.out("unimplemented" if channel.connection.unimplemented else "ignored")
    await channel.finish()


@command
async def noise(channel):
    def make():
        channel.connection.send_packet(MSG_IGNORE, String(b"x" * ANY_PACKET))
        channel.connection.send_packet(MSG_IGNORE)
        channel.connection.send_packet(MSG_DEBUG, Boolean(True), String("\x1b[31m"), String(""))
        channel.connection.send_packet(MSG_DEBUG)
        channel.connection.send_packet(MSG_UNIMPLEMENTED, UInt32(0))

    make()
    await channel.start()
    make()
    await channel.out("clear")
    make()
    await channel.finish()
    make()


@command
async def foreign_channel(channel, number):
    other = Channel(channel.connection, int(number), 0)
    await other.start()
    await other.out("foreign")
    await other.send(MSG_CHANNEL_WINDOW_ADJUST, UInt32(1))
    await other.finish(9)
    await channel.start()
    await channel.finish()


@command
async def window_overflow(channel):
    for _ in range(3):
        await channel.send(MSG_CHANNEL_WINDOW_ADJUST, UInt32(0xFFFFFFFF))
    await channel.start()
    await channel.finish()


@command
async def broken_packet(channel, length):
    """A packet that tells this length and cannot be authentic."""
    await channel.start()
    await channel.out("partial")
    channel.connection.send_raw(UInt32(int(length)) + b"x" * 64)


@command
async def wait_for_stdin(channel):
    await channel.start()
    while await channel.stdin.get():
        pass
    await channel.finish()


@command
async def echo(channel, bytes_per_key="0"):
    """Prints its stdin, taken in pieces of its window; may want new keys after so many bytes."""
    await channel.start()
    data = b""
    until_rekey = int(bytes_per_key)
    while piece := await channel.stdin.get():
        data += piece
        if 0 < until_rekey <= len(data):
            await channel.connection.exchange_keys()
            until_rekey += int(bytes_per_key)
        await channel.send(MSG_CHANNEL_WINDOW_ADJUST, UInt32(len(piece)))
    while data:
        await channel.out(data[:ANY_PACKET])
        data = data[ANY_PACKET:]
    await channel.finish()


@command
async def stop_reading(channel):
    """Hears nothing any more, on the whole connection."""
    await channel.start()
    await channel.connection.round_trip()
    channel.connection.stop_reading()
    await channel.out("partial")


class Output(asyncio.BaseProtocol):
    """Our standard output."""

    def __init__(self):
        self.reader_gone = asyncio.Event()

    def connection_lost(self, _error):
        self.reader_gone.set()


async def main(address, authorized_key):
    options = asyncssh.SSHServerConnectionOptions(
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        authorized_client_keys=authorized_key,
        encryption_algs=["aes128-gcm@openssh.com"],
    )
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(loop, options), address)
    pipe, output = await loop.connect_write_pipe(Output, sys.stdout)
    pipe.write(b"%d\n" % listener.sockets[0].getsockname()[1])
    await output.reader_gone.wait()


logging.disable()
asyncio.run(main(*sys.argv[1:]))
