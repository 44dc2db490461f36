/** CloudFormation takes `Rules` in a template, and osls in no place of its own: they come from `custom.rules`. */
module.exports = class AddRules {
  constructor({ service }) {
    this.hooks = {
      "before:package:finalize": () => {
        service.provider.compiledCloudFormationTemplate.Rules = service.custom.rules;
      },
    };
  }
};
