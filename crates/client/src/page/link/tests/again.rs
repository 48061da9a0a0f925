//! When what is not acknowledged goes out again.

use super::*;

#[test]
fn the_waits_double_up_to_8_s_while_nothing_moves() {
    let mut world = World::joined();
    let start = world.now;
    world.chat("a").unwrap();
    let mut at = Vec::new();
    for half_seconds in 0..80 {
        if half_seconds % 4 == 0 {
            world.say(&json!({"type": "pong", "server_time_ms": 0}));
        }
        let before = world.numbers().len();
        world.pass(500);
        if world.numbers().len() > before {
            at.push(world.now - start);
        }
    }
    assert_eq!(at, [1_000, 3_000, 7_000, 15_000, 23_000, 31_000, 39_000]);
}

#[test]
fn the_wait_is_short_again_when_an_acknowledgement_moves_or_a_welcome_comes() {
    let mut world = World::joined();
    world.chat("a").unwrap();
    world.chat("b").unwrap();
    world.pass(3_000);
    world.ack(0, false);
    let before = world.numbers().len();
    world.pass(3_500);
    assert_eq!(world.numbers().len(), before, "nothing moved");
    world.ack(1, false);
    world.pass(1_000);
    assert_eq!(world.numbers()[before..], [2]);
    world.pass(1_500);
    world.close(4000);
    world.pass(0);
    world.open();
    world.welcome("full", &json!({OWN: 1}));
    let before = world.numbers().len();
    world.pass(1_000);
    assert_eq!(world.numbers()[before..], [2]);
}

#[test]
fn what_a_log_did_not_take_goes_out_at_once_when_it_can_be_reached_again() {
    let mut world = World::joined();
    world.chat("a").unwrap();
    world.pass(3_000);
    world.say(&json!({"type": "degraded"}));
    world.pass(3_000);
    assert_eq!(world.numbers(), [1; 3]);
    world.say(&json!({"type": "recovered"}));
    assert_eq!(world.numbers(), [1; 4]);
    world.pass(1_000);
    assert_eq!(world.numbers(), [1; 5]);
}
