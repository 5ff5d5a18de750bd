/**
 * Every bound of the relay, with its unit last in the name. docs/LIMITS.md explains each; a test
 * compares the two. Bounds that an operator may move are defaults of configuration keys.
 */

const KIB = 1024
const MIB = 1024 * KIB

export const LIMITS = {
  // Packets and connections.
  /** Largest packet before a client is authenticated. */
  connectBytesMax: 64 * KIB,
  /** Largest packet after that. */
  packetBytesMax: 1 * MIB,
  /** Time from the first byte to a complete CONNECT. */
  connectMsMax: 10_000,
  /** Names and addresses in a certificate of the relay's own making. */
  certificateNamesMax: 64,
  /** Pause between two looks whether the relay has got a new name or address. */
  certificateLookMs: 60_000,
  /** Time for an HTTP request to arrive. */
  httpRequestMsMax: 30_000,
  /** Connections of one address that have not sent a CONNECT. */
  strangersPerAddressMax: 64,
  /** Connections at once, over all listeners. */
  connectionsMax: 10_000,
  /** Topic filters of one session. */
  filtersPerSessionMax: 1_000,
  /** Topic aliases that a client may set (MQTT 5). */
  topicAliasMax: 16,
  /** Of all topics that have one. */
  topicAliasCharsMax: 65_536,
  /** Levels of a topic or filter. */
  topicLevelsMax: 32,
  /** Bytes that wait for a socket before its reader counts as stuck. */
  outboxBytesMax: 4 * MIB,
  /** Bytes that wait for a socket before deliveries out of a mailbox pause. */
  outboxBytesHigh: 256 * KIB,
  /** Time that a reader may take nothing of so many bytes. */
  stuckMsMax: 60_000,
  /** Acknowledgements of one connection for what it was not sent, or not any more. */
  unknownAcksMax: 100,
  /** Bytes of one client that wait for aedes before no more of it is read. */
  aedesBytesHigh: 16 * KIB,
  /** Publishes of one connection that may wait for their acknowledgement. */
  receiveMax: 256,
  /** Time that a connection gets to take its last bytes before it is cut. */
  lingerMs: 2_000,
  /** Bytes that a client may still send after its connection has ended. */
  lingerBytesMax: 64 * KIB,

  // Messages and mailboxes.
  payloadBytesMax: 256 * KIB,
  /** MQTT 5 properties of one message; quotas count payloads alone. */
  propertiesBytesMax: 8 * KIB,
  /** Messages and receipts on the way to one device, unacknowledged. */
  inFlightPerDeviceMax: 64,
  /** Entries that a drain reads ahead, and their bytes. */
  drainReadMax: 64,
  drainReadBytesMax: 512 * KIB,
  /** Wait before a mailbox that could not be read is read again. */
  drainRetryMs: 1_000,
  mailboxMessagesMax: 200_000,
  mailboxBytesMax: 256 * MIB,
  /** Undelivered messages of one sender, over all recipients. */
  senderMessagesMax: 200_000,
  /** Messages whose receipts are made when their sender first asks for receipts; the newest. */
  earlierMessagesMax: 50_000,
  /** Receipts that wait for one user. */
  receiptsMax: 1_000_000,
  expiresAfterSMax: 30 * 86_400,
  /** Pause between two looks for what has expired. */
  sweepMs: 1_000,
  /** Pause between two looks for records that are no longer needed. */
  recordSweepMs: 3_600_000,
  /** Records read at once when all are looked through. */
  recordReadMax: 500,
  /** Size of the filter that knows which records there are not; a power of two. */
  keyFilterBytes: 2 * MIB,
  /** Keys in it before it is made anew from what is still there. */
  keyFilterKeysMax: 2_000_000,
  /** A settled message is remembered at least this long, so that a retry stays one message. */
  duplicateWindowMs: 24 * 3_600_000,

  // People and things.
  usersMax: 10_000,
  thingsMax: 10_000,
  /** Devices of one user that hold mail. */
  devicesHoldingPerUserMax: 16,
  /** Devices of one user that the relay remembers. */
  devicesPerUserMax: 64,
  /** A device unseen for so long no longer holds mail back. */
  deviceIdleMsMax: 30 * 86_400_000,
  passwordBytesMax: 256,
  /** Password hashes being computed at once; more wait. */
  passwordHashesMax: 1,
  passwordHashesWaitingMax: 256,
  /** Failed sign-ins a minute from one address, whatever the user names. */
  attemptsPerMinuteMax: 10,
  /** Failed sign-ins a minute of one user name, from all addresses where it is not known yet. */
  attemptsPerUserPerMinuteMax: 60,
  /** Users and addresses whose attempts are remembered. */
  attemptKeysMax: 20_000,
  /** Passwords that were right lately, so that a reconnect need not hash again, and for how long. */
  verifiedMax: 4_096,
  verifiedMsMax: 600_000,
  /** A device that comes and goes has its last-seen written no more often than this. */
  lastSeenSavedMsMin: 60_000,
  /** A device that stays has its last-seen written at least this often. */
  lastSeenSavedMsMax: 3_600_000,

  // Configuration, log and the admin socket.
  configBytesMax: 1 * MIB,
  accessRulesMax: 1_000,
  /** A longer line is cut. */
  logLineCharsMax: 8_192,
  /** Requests to the admin socket at once; more are refused. */
  controlConnectionsMax: 64,
  controlRequestBytesMax: 64 * KIB,
  controlAnswerBytesMax: 64 * MIB,
  /** Time from connecting to the admin socket to a whole request. */
  controlRequestMsMax: 10_000,
  /** How long the command line waits for the relay's answer. */
  controlAnswerMsMax: 60_000,
  /** Messages of one listing. */
  listedMax: 1_000,
  /** Time from SIGTERM to the end of the process. */
  stopMsMax: 5_000,

  // The store.
  /** Pause between two times that removed bytes are taken off the disk. */
  compactMs: 30_000,
  /** Ranges that are rewritten at a time; more wait for the next. */
  compactRangesMax: 256,
  /** Pause between two looks at the size of the store, where it has a bound. */
  diskLookMs: 1_000,
  /** Sequence numbers reserved by one write; a crash skips what is left of a block. */
  seqBlock: 10_000,
  /** Longest time without a write of the age, while something waits. */
  ageSaveMsMax: 600_000,
  /** Longest wait for devices to acknowledge before a commit. */
  commitWindowMsMax: 20,
  /** Free disk below which new messages are refused. */
  diskFreeBytesMin: 32 * MIB,
  /** Pre-allocated so that deliveries and deletions go on when the disk is full. */
  reserveBytes: 16 * MIB,
  /** Damaged records that are listed one by one. */
  damageListedMax: 1_000,
  /** Folders with a damaged store that are kept; the oldest leaves first. */
  damagedFoldersMax: 3,
  /** Bytes that wait for a commit, beyond which new messages are refused. */
  pendingBytesMax: 64 * MIB,
  /** Longest pause between tries to get the disk to write again. */
  reopenMsMax: 5_000,
  /** How long a stop waits for a disk that does not write. */
  storeStopMsMax: 3_000,
  /** Tables of LevelDB that are open at once; each is mapped into memory. */
  openTablesMax: 64,

  // Retained messages and offline queues of ordinary topics.
  retainedMax: 100_000,
  offlineQueueMessagesMax: 1_000,
  /** Pause between two looks at what `$SYS` shows. */
  systemTopicsMs: 10_000,
  /** Sessions of one account that outlive their connection; the one left for longest ends. */
  sessionsPerAccountMax: 64,
  /** Of all clients that sign in as nobody, together. */
  anonymousSessionsMax: 10_000,
  /** Topics whose subscribers are remembered until somebody subscribes. */
  audiencesMax: 4_096,
  /** Unfinished QoS 2 publishes of one session. */
  incomingPerSessionMax: 1_000,
  /** Retained or queued messages of ordinary topics read ahead for one client. */
  readAheadMax: 16,

  // Memory.
  /** Space for young objects; V8 would let it grow to eight times that. */
  youngHeapMiBMax: 8,
  /** How far the heap may grow beyond what lived in it before it is collected. */
  heapGrowthPercentMax: 30,
  /** Time over which the process has to be quiet before it is made smaller. */
  quietMs: 2_000,
  /** Share of a core up to which it counts as quiet. */
  quietPercentMax: 10,
  /** Growth that is not worth a collection. */
  heapSlackBytes: 24 * MIB,
} as const
