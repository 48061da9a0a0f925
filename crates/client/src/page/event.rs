//! What happens to a page, and what it asks for.

use heliograph_protocol::{Header, ServerMessage};

/// Where the page stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Link {
    /// Not started.
    #[default]
    Idle,
    /// On the way to its seat.
    Connecting,
    /// Has its seat.
    Joined,
    /// Comes back by itself.
    Lost {
        /// Since when, milliseconds of the driver's clock.
        since_ms: u64,
    },
    /// Another page has the seat: the person is asked.
    Taken {
        /// Its session.
        holder: String,
    },
    /// Does not come back.
    Stopped(Why),
}

/// Why a page stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Neither ticket nor secret is good (4100).
    Auth,
    /// The time is over (4101).
    Expired,
    /// The visit was called off.
    Cancelled,
    /// The person was removed (4102).
    Removed,
    /// The person was not let in (4103).
    Denied,
    /// The visit is over (4104).
    Ended,
    /// Another page of the person has the seat (4109).
    Superseded,
    /// The page went on purpose.
    Left,
    /// A close code above 4100 that this client does not know.
    Unknown,
}

/// What asking for a ticket gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketAnswer {
    /// A ticket.
    Ticket(String),
    /// There is none for this page.
    Refused(Why),
    /// The service was not reached.
    Later,
}

/// What happens to a page. `life` numbers its sockets: what a replaced one still says is not heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// The page opens.
    Start,
    /// The answer to [`Action::FetchTicket`].
    Ticket {
        /// Of which socket.
        life: u64,
        /// What came.
        answer: TicketAnswer,
    },
    /// The socket of [`Action::Connect`] is open.
    Opened {
        /// Of which socket.
        life: u64,
    },
    /// A text frame came.
    Text {
        /// Of which socket.
        life: u64,
        /// The frame.
        text: &'a str,
    },
    /// The socket is closed, or could not be opened.
    Closed {
        /// Of which socket.
        life: u64,
        /// The close code, if one came.
        code: Option<u16>,
    },
    /// [`Page::deadline`] has come.
    Time,
    /// The network came back, or the page is looked at again.
    Wake,
    /// The person said to move the visit here.
    MoveHere,
    /// The page goes on purpose, once its last words are in the log.
    Leave,
}

/// What the page's driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask the API for a ticket.
    FetchTicket {
        /// For which socket.
        life: u64,
    },
    /// Open a socket.
    Connect {
        /// Its number.
        life: u64,
    },
    /// Write a text frame.
    Send {
        /// To which socket.
        life: u64,
        /// The frame.
        text: String,
    },
    /// Let a socket go.
    Drop {
        /// Which one.
        life: u64,
    },
    /// Something that may cause something, once.
    Act {
        /// Where it stands.
        header: Header,
        /// What it says.
        message: Box<ServerMessage>,
    },
    /// The page stands elsewhere.
    Link(Link),
}
