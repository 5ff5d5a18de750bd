"""
Paho clients that a test steers: a command in JSON on each line of stdin, an event in JSON on each
line of stdout, both with the number of the client. Nothing is decided here but what every program decides that uses the library: who
runs its network loop.

  thread   loop_start: a thread of the library, which reconnects by itself
  forever  loop_forever, in a thread of this program; reconnects by itself
  manual   loop(), again and again, in a thread of this program; reconnects by reconnect()
  sockets  loop_read, loop_write and loop_misc when select() says so, as Home Assistant does;
           reconnects by reconnect()
"""

import json
import select
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

VERSIONS = {3: mqtt.MQTTv31, 4: mqtt.MQTTv311, 5: mqtt.MQTTv5}
output = threading.Lock()


def properties_of(packet_type, given):
    """Properties by their names in the library; binary ones as text."""
    if not given:
        return None
    properties = Properties(packet_type)
    for name, value in given.items():
        if name == "CorrelationData":
            value = value.encode()
        if name == "UserProperty":
            value = [tuple(pair) for pair in value]
        setattr(properties, name, value)
    return properties


def shown(properties):
    """Properties as JSON can hold them."""
    found = properties.json() if properties is not None else {}
    if "CorrelationData" in found:
        found["CorrelationData"] = bytes.fromhex(found["CorrelationData"]).decode()
    return found


class Client:
    def __init__(self, options):
        self.number = options["client"]
        self.version = options.get("version", 4)
        self.loop = options.get("loop", "thread")
        self.options = options
        self.is_over = threading.Event()
        kind = {} if self.version == 5 else {"clean_session": options.get("clean", True)}
        self.mqtt = mqtt.Client(
            options.get("clientId", ""),
            protocol=VERSIONS[self.version],
            transport=options.get("transport", "tcp"),
            reconnect_on_failure=self.loop in ("thread", "forever"),
            **kind,
        )
        self.mqtt.username_pw_set(options["user"], options["password"])
        self.mqtt.reconnect_delay_set(options.get("reconnectDelay", 0.01), 0.01)
        if options.get("transport") == "websockets":
            self.mqtt.ws_set_options("/mqtt")
        if "authority" in options:
            self.mqtt.tls_set(options["authority"])
        if "will" in options:
            will = options["will"]
            self.mqtt.will_set(
                will["topic"],
                will["payload"],
                will.get("qos", 0),
                will.get("retain", False),
                properties_of(PacketTypes.WILLMESSAGE, will.get("properties")),
            )
        self.mqtt.on_connect = self.on_connect
        self.mqtt.on_disconnect = self.on_disconnect
        self.mqtt.on_message = self.on_message
        self.mqtt.on_publish = lambda _c, _u, mid: self.say("published", mid=mid)
        self.mqtt.on_subscribe = self.on_subscribe
        self.mqtt.on_unsubscribe = lambda _c, _u, mid, *_: self.say("unsubscribed", mid=mid)

    def say(self, event, **fields):
        with output:
            print(json.dumps({"client": self.number, "event": event, **fields}), flush=True)

    def connect(self, _command):
        more = {}
        if self.version == 5:
            clean = self.options.get("clean", True)
            # None: a clean start at the first connection, and not when it comes back.
            more["clean_start"] = mqtt.MQTT_CLEAN_START_FIRST_ONLY if clean is None else clean
            more["properties"] = properties_of(PacketTypes.CONNECT, self.options.get("properties"))
        keepalive = self.options.get("keepalive", 60)
        self.mqtt.connect(self.options["host"], self.options["port"], keepalive, **more)
        if self.loop == "thread":
            self.mqtt.loop_start()
        elif self.loop == "forever":
            self.run(self.mqtt.loop_forever)
        elif self.loop == "manual":
            self.run(self.loop_by_hand)
        else:
            self.run(self.loop_by_sockets)

    def run(self, loop):
        threading.Thread(target=loop, daemon=True).start()

    def loop_by_hand(self):
        while not self.is_over.is_set():
            if self.mqtt.loop(0.05) != mqtt.MQTT_ERR_SUCCESS:
                self.come_back()

    def loop_by_sockets(self):
        while not self.is_over.is_set():
            socket = self.mqtt.socket()
            if socket is None:
                self.come_back()
                continue
            writers = [socket] if self.mqtt.want_write() else []
            try:
                readable, writable, _ = select.select([socket], writers, [], 0.01)
            except (OSError, ValueError):
                continue
            if readable:
                self.mqtt.loop_read()
            if writable:
                self.mqtt.loop_write()
            self.mqtt.loop_misc()

    def come_back(self):
        if self.is_over.is_set():
            return
        try:
            self.mqtt.reconnect()
        except OSError:
            self.is_over.wait(0.02)

    def publish(self, command):
        info = self.mqtt.publish(
            command["topic"],
            command.get("payload"),
            command.get("qos", 0),
            command.get("retain", False),
            properties_of(PacketTypes.PUBLISH, command.get("properties")),
        )
        self.say("publishing", mid=info.mid, tag=command.get("tag", ""))

    def subscribe(self, command):
        if self.version == 5:
            keys = ("noLocal", "retainAsPublished", "retainHandling")
            options = {key: command[key] for key in keys if key in command}
            filters = [(name, SubscribeOptions(qos, **options)) for name, qos in command["filters"]]
            given = properties_of(PacketTypes.SUBSCRIBE, command.get("properties"))
            _, mid = self.mqtt.subscribe(filters, properties=given)
        else:
            _, mid = self.mqtt.subscribe([tuple(pair) for pair in command["filters"]])
        self.say("subscribing", mid=mid, tag=command["tag"])

    def unsubscribe(self, command):
        _, mid = self.mqtt.unsubscribe(command["filters"])
        self.say("unsubscribing", mid=mid, tag=command["tag"])

    def disconnect(self, command):
        # With a loop of the library it ends by itself, when DISCONNECT has gone out.
        if self.loop in ("manual", "sockets"):
            self.is_over.set()
        if self.version == 5:
            self.mqtt.disconnect(mqtt.ReasonCodes(PacketTypes.DISCONNECT, identifier=command.get("reason", 0)))
        else:
            self.mqtt.disconnect()

    def on_connect(self, _client, _userdata, flags, code, properties=None):
        value = getattr(code, "value", code)
        self.say("connected", code=value, present=flags["session present"], properties=shown(properties))

    def on_disconnect(self, _client, _userdata, code, _properties=None):
        self.say("disconnected", code=getattr(code, "value", code))

    def on_subscribe(self, _client, _userdata, mid, codes, _properties=None):
        self.say("subscribed", mid=mid, codes=[getattr(code, "value", code) for code in codes])

    def on_message(self, _client, _userdata, message):
        self.say(
            "message",
            topic=message.topic,
            text=message.payload.decode("utf-8", "replace"),
            qos=message.qos,
            retain=message.retain,
            properties=shown(getattr(message, "properties", None)),
        )


def main():
    clients = {}
    for line in sys.stdin:
        command = json.loads(line)
        number = command["client"]
        if command["do"] == "make":
            clients[number] = Client(command)
        else:
            getattr(clients[number], command["do"])(command)


main()
