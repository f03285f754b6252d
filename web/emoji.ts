/** What people say without words, and what it is called. */
export type Named = readonly [emoji: string, name: string];

export const QUICK: readonly Named[] = [
  ["👍", "thumbs up"],
  ["❤️", "heart"],
  ["😂", "laughing"],
  ["😮", "surprised"],
  ["😢", "sad"],
  ["🙏", "thank you"],
];

const named = (text: string): Named[] =>
  text
    .trim()
    .split("\n")
    .map((line) => {
      const [emoji = "", ...name] = line.trim().split(" ");
      return [emoji, name.join(" ")];
    });

/** By kind; each line is an emoji and its name. */
export const EMOJI: readonly (readonly [kind: string, emoji: readonly Named[]])[] = [
  [
    "Faces",
    named(`😀 grinning
      😃 happy
      😄 smiling eyes
      😁 beaming
      😅 sweat smile
      😂 laughing tears
      🤣 rolling laughing
      🙂 slight smile
      🙃 upside down
      😉 wink
      😊 blush
      😇 angel
      🥰 in love hearts
      😍 heart eyes
      😘 kiss
      😋 yummy
      😜 crazy wink tongue
      🤪 zany
      🤗 hug
      🤭 giggle hand
      🤫 quiet shush
      🤔 thinking
      🤨 raised eyebrow
      😐 neutral
      😑 expressionless
      😶 speechless
      🙄 rolling eyes
      😏 smirk
      😬 grimace
      😌 relieved
      😔 pensive
      😴 asleep sleeping
      😷 mask ill
      🤒 fever ill
      🤢 sick nausea
      🥵 hot
      🥶 cold
      🤯 mind blown
      🥳 party
      😎 cool sunglasses
      🤓 nerd
      😕 confused
      😟 worried
      🙁 frown
      😮 surprised open mouth
      😳 flushed
      🥺 pleading
      😢 sad crying
      😭 sobbing
      😱 scream
      😤 huff triumph
      😠 angry
      😡 rage
      🤬 swearing
      😈 devil
      💀 skull dead
      💩 poo
      🤡 clown
      👻 ghost
      🤖 robot`),
  ],
  [
    "People and hands",
    named(`👍 thumbs up yes
      👎 thumbs down no
      👌 ok
      ✌️ victory peace
      🤞 fingers crossed
      🤘 rock on
      🤙 call me
      👈 left
      👉 right
      👆 up
      👇 down
      ✋ hand stop
      👋 wave hello
      👏 clap applause
      🙌 raised hands hooray
      🫶 heart hands
      🤝 handshake
      🙏 thank you please
      💪 strong muscle
      👀 eyes looking
      🧠 brain
      🤷 shrug
      🤦 facepalm
      🙋 raising hand
      🏃 running
      💃 dancing
      👶 baby
      👨‍👩‍👧 family
      👮 police
      🧑‍💻 at the computer`),
  ],
  [
    "Hearts and signs",
    named(`❤️ red heart love
      🧡 orange heart
      💛 yellow heart
      💚 green heart
      💙 blue heart
      💜 purple heart
      🖤 black heart
      💔 broken heart
      💕 two hearts
      💯 hundred
      ✨ sparkles
      🔥 fire
      ⭐ star
      💥 boom
      💤 zzz
      ✅ done check
      ❌ cross wrong
      ❓ question
      ❗ exclamation
      ⚠️ warning
      🚫 forbidden
      🔔 bell
      ♻️ recycle`),
  ],
  [
    "Nature and weather",
    named(`🐶 dog
      🐱 cat
      🐭 mouse
      🐰 rabbit
      🦊 fox
      🐻 bear
      🐼 panda
      🐵 monkey
      🐔 chicken
      🐧 penguin
      🦄 unicorn
      🐝 bee
      🦋 butterfly
      🐢 turtle
      🐟 fish
      🌸 blossom
      🌹 rose
      🌻 sunflower
      🌲 tree
      🍀 clover luck
      🌍 earth
      🌙 moon
      ☀️ sun
      ⛅ cloud
      🌧️ rain
      ⛈️ storm
      ❄️ snow
      🌈 rainbow
      🌊 wave sea`),
  ],
  [
    "Food",
    named(`🍎 apple
      🍌 banana
      🍓 strawberry
      🍇 grapes
      🥑 avocado
      🥕 carrot
      🍞 bread
      🧀 cheese
      🥚 egg
      🍕 pizza
      🍔 burger
      🍟 fries
      🌮 taco
      🍝 pasta
      🍜 noodles
      🍣 sushi
      🥗 salad
      🍰 cake
      🎂 birthday cake
      🍫 chocolate
      🍪 cookie
      🍦 ice cream
      ☕ coffee
      🍵 tea
      🍺 beer
      🍷 wine
      🥂 cheers`),
  ],
  [
    "Doing and going",
    named(`⚽ football
      🏀 basketball
      🎾 tennis
      🚴 cycling
      🏊 swimming
      🥾 hiking
      ⛷️ skiing
      🎮 game
      🎲 dice
      🎵 music
      🎸 guitar
      🎬 film
      🎨 painting
      📷 camera
      🏆 trophy
      🎉 party popper
      🎈 balloon
      🎁 present gift
      🚗 car
      🚌 bus
      🚲 bicycle
      🚆 train
      ✈️ plane
      🚀 rocket
      ⛵ boat
      🏠 home house
      🏖️ beach
      ⛺ camping tent
      🗺️ map`),
  ],
  [
    "Things",
    named(`📱 phone
      💻 laptop
      ⌚ watch
      💡 idea light
      🔋 battery
      🔑 key
      🔒 lock
      🔧 tool
      💊 pill
      🧹 broom
      🛒 shopping
      💰 money
      💳 card
      📧 e-mail
      📦 parcel
      📅 calendar
      📌 pin
      📎 paper clip
      ✏️ pencil
      📚 books
      📝 note
      🔍 search
      ⏰ alarm clock
      ⏳ waiting hourglass`),
  ],
];
