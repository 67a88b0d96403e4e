import type { ExampleRandom } from "./random.ts";

const SURNAMES = [..."王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹"];
const GIVEN = [..."伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志鹏欣怡浩然子轩雨婷思"];

/** A person's name of two or three characters. */
export function makePersonName(random: ExampleRandom): string {
  const length = random.integer(10) < 7 ? 2 : 1;
  const given = Array.from({ length }, () => random.pick(GIVEN)).join("");
  return random.pick(SURNAMES) + given;
}

/** The two enterprises and the work that they have done. */
export const enterprises = [
  {
    name: "深圳市捷程同城物流有限公司",
    scope: "同城配送、仓储服务",
    scene: "同城即时配送",
    taskTypes: ["外卖配送", "生鲜配送", "文件急送", "商超配送"],
    priceFen: [480, 1_250],
    quantity: [180, 420],
  },
  {
    name: "深圳市云匠软件技术服务有限公司",
    scope: "软件技术服务、数据处理",
    scene: "众包设计与数据标注",
    taskTypes: ["图像标注", "语音转写", "界面设计", "用户访谈"],
    priceFen: [900, 3_600],
    quantity: [60, 240],
  },
] as const;

/** The institution that serves them. */
export const institution = {
  name: "深圳市众益灵活就业服务有限公司",
  supervisor: "深圳市人力资源和社会保障局",
  licences: ["人力资源服务许可证", "委托代征税款资格"],
} as const;

const STREETS = ["深南大道", "科技园南路", "龙岗大道", "宝安大道", "华强北路", "前海路"] as const;

/** An address in Shenzhen. */
export function makeAddress(random: ExampleRandom): string {
  const district = random.pick(["南山区", "福田区", "宝安区", "龙岗区", "龙华区"]);
  return `深圳市${district}${random.pick(STREETS)}${random.between(1, 999)}号`;
}
