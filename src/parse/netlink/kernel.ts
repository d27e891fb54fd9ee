/** Numbers of the kernel's interface (include/uapi/linux/{netlink,sock_diag,inet_diag,unix_diag}.h), and where its structs have what. */

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_MPTCP = 262;

export const SOCK_DIAG_BY_FAMILY = 20;
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;
export const NLM_F_REQUEST = 1;
export const NLM_F_DUMP = 0x300;
export const NLM_F_DUMP_INTR = 0x10;

/** struct nlmsghdr: length, type and flags, sequence, port. */
export const HEADER_BYTES = 16;

/** Bits of `idiag_states` and `udiag_states`: 1 << TCP_xxx (include/net/tcp_states.h). */
export const STATE_BITS = {
  established: 1 << 1,
  synRecv: 1 << 3,
  /** Of UDP and of Unix datagrams: without a peer. */
  close: 1 << 7,
  closeWait: 1 << 8,
  listen: 1 << 10,
  /** All that ss asks for with -a. */
  all: 0xfff,
} as const;

/** Attributes of an inet_diag_msg; the first eight are asked for as bits of `idiag_ext`. */
export const INET_DIAG_INFO = 2;
export const INET_DIAG_SKMEMINFO = 7;
export const INET_DIAG_PROTOCOL = 10;
export const INET_DIAG_SKV6ONLY = 11;
export const INET_DIAG_ULP_INFO = 19;
export const INET_ULP_INFO_NAME = 1;

/** Attributes of an inet_diag request. */
export const INET_DIAG_REQ_BYTECODE = 1;
export const INET_DIAG_REQ_PROTOCOL = 3;

export const UNIX_DIAG_NAME = 0;
export const UNIX_DIAG_PEER = 2;
export const UNIX_DIAG_RQLEN = 4;
export const UNIX_DIAG_MEMINFO = 5;
export const UDIAG_SHOW_NAME = 1;
export const UDIAG_SHOW_PEER = 4;
export const UDIAG_SHOW_RQLEN = 0x10;
export const UDIAG_SHOW_MEMINFO = 0x20;

/** Upper bits of an attribute's type are flags (NLA_TYPE_MASK). */
export const ATTRIBUTE_TYPE = 0x3fff;

/** Words of struct inet_diag_msg behind the header. */
export const INET = {
  /** Family, state, timer, retransmits: one byte each. */
  kind: 4,
  /** Source and destination port, in network order. */
  ports: 5,
  source: 6,
  destination: 10,
  device: 14,
  cookieLow: 15,
  cookieHigh: 16,
  expiresMs: 17,
  recvQueue: 18,
  sendQueue: 19,
  uid: 20,
  inode: 21,
  attributes: 22,
} as const;

/** Words of struct unix_diag_msg behind the header. */
export const UNIX = { kind: 4, inode: 5, cookieLow: 6, cookieHigh: 7, attributes: 8 } as const;
